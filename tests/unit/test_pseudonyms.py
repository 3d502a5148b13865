"""Pseudonyms are HMACs of normalised identifiers; nothing raw and no key shows anywhere."""

import base64
import hashlib
import hmac
import io
import logging
from contextlib import redirect_stdout

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from engine.pseudonyms import calling_countries, is_phone, normalised, pseudonyms, readable_code
from tests.frames import KEYRING
from warehouse.keyring import Keyring


def expected(value: str, domain: str, keyring: Keyring = KEYRING) -> bytes:
    key = keyring.pseudonym.get_secret_value().encode()
    return hmac.new(key, f"{domain}\x1f{value}".encode(), hashlib.sha256).digest()


def of(*values: str | None, domain: str = "client", keyring: Keyring = KEYRING) -> list[bytes | None]:
    return pseudonyms(pl.Series("id", values, dtype=pl.String), domain, keyring).to_list()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.none() | st.text(max_size=12).filter(lambda text: not text.startswith(("+", "00"))), max_size=8))
def test_they_are_the_hmac_that_python_computes(values: list[str | None]) -> None:
    assert of(*values) == [None if value is None else expected(value, "client") for value in values]


def test_they_differ_by_domain_and_by_key() -> None:
    other = Keyring(SecretStr(base64.b64encode(b"q" * 32).decode()), KEYRING.vault)
    found = {of("A")[0], of("A", domain="beneficiary")[0], of("A", keyring=other)[0], of("B")[0]}
    assert len(found) == 4
    assert hashlib.sha256(b"A").digest() not in found


def test_the_result_has_the_name_and_length_of_its_column() -> None:
    series = pseudonyms(pl.Series("client_id", ["a", None, "+225 07 01 02 03 04"]), "client", KEYRING)
    assert series.dtype == pl.Binary
    assert (series.name, series.len()) == ("client_id", 3)
    assert pseudonyms(pl.Series("client_id", [], dtype=pl.String), "client", KEYRING).dtype == pl.Binary


@pytest.mark.parametrize(
    "spelling",
    [
        "+2250701020304",
        "+225 07 01 02 03 04",
        "+225-07-01-02-03-04",
        "+225 (07) 01.02.03.04",
        "002250701020304",
        "00225 07 01 02 03 04",
        "00225-0701020304",
    ],
)
def test_all_spellings_of_a_phone_number_have_one_pseudonym(spelling: str) -> None:
    assert of(spelling, domain="beneficiary") == [expected("+2250701020304", "beneficiary")]


@pytest.mark.parametrize(
    "identifier", ["0701020304", "MER-001", "00", "+", "0012", "00999999999999", "+12", "2250701020304", "0000000000"]
)
def test_what_is_no_international_number_stays_as_it_is(identifier: str) -> None:
    assert of(identifier) == [expected(identifier, "client")]


def test_normalising_changes_no_series_but_its_result() -> None:
    values = pl.Series(["+225 07 01 02 03 04", "A", None])
    frame = values.to_frame("id")
    assert normalised(values).to_list() == ["+2250701020304", "A", None]
    assert normalised(frame["id"]).to_list() == ["+2250701020304", "A", None]
    assert values.to_list() == frame["id"].to_list() == ["+225 07 01 02 03 04", "A", None]


def test_neither_identifier_nor_key_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    output = io.StringIO()
    with caplog.at_level(logging.DEBUG), redirect_stdout(output):
        series = pseudonyms(pl.Series("id", ["SECRET-7", "+2250701020304"]), "client", KEYRING)
        shown = repr(series) + str(series.to_list()) + repr(KEYRING) + str(KEYRING) + series.to_frame().lazy().explain()
    shown += output.getvalue() + caplog.text
    key = KEYRING.pseudonym.get_secret_value()
    for secret in ("SECRET-7", "0701020304", key, key[:12], KEYRING.vault.get_secret_value()):
        assert secret not in shown


def test_phones_and_their_countries() -> None:
    numbers = pl.Series(
        ["+2250701020304", "+233201234567", "+33612345678", "+12025550123", "+998901234567", "MER-1", None]
    )
    assert is_phone(numbers).to_list() == [True, True, True, True, True, False, None]
    # Canada has the calling code of the United States: nobody can tell.
    assert calling_countries(numbers).to_list() == ["CI", "GH", "FR", None, "UZ", None, None]


def test_a_readable_code_has_no_characters_that_look_alike() -> None:
    assert readable_code(bytes(32)) == "00000-00000"
    assert readable_code(b"\xff" * 32) == "ZZZZZ-ZZZZZ"
    codes = [readable_code(hashlib.sha256(bytes([number])).digest()) for number in range(200)]
    assert len(set(codes)) == 200
    assert all(len(code) == 11 and code[5] == "-" for code in codes)
    assert not set("".join(codes)) & set("ILOUilou")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=22, max_size=22))
def test_a_readable_code_is_the_first_fifty_bits(pseudonym: bytes, other_end: bytes) -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    bits = int.from_bytes(pseudonym[:10], "big") >> 30
    letters = "".join(alphabet[bits >> shift & 31] for shift in range(45, -1, -5))
    assert readable_code(pseudonym) == f"{letters[:5]}-{letters[5:]}"
    assert readable_code(pseudonym[:10] + other_end) == readable_code(pseudonym)
