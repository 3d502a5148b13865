"""Refused rows are sealed whole: every reason, the text of the file, and nothing to read without the key."""

import base64
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from engine.pseudonyms import pseudonyms
from engine.quarantine import NONCE_BYTES, REFUSED_SCHEMA, seal
from engine.read import open_reader
from tests.frames import GOOD, KEYRING, lines_of, read_and_check, table_file, text_file
from warehouse.keyring import Keyring


def test_a_refused_row_comes_back_under_the_headings_of_its_file(tmp_path: Path) -> None:
    content = (
        "Libellé service;Identifiant service;taux_commission;couleur\nSalaires;S1; 9,5 ;bleu\nAchats;S2;1,5;vert\n;;;\n"
    )
    checked = read_and_check(text_file(tmp_path, "services", content.encode("cp1252")))
    assert checked.reasons == {1: ["commission_rate_invalid"], 3: ["service_id_missing", "service_name_missing"]}
    assert checked.refused_values == {
        1: {"Libellé service": "Salaires", "Identifiant service": "S1", "taux_commission": " 9,5 ", "couleur": "bleu"},
        3: {"Libellé service": None, "Identifiant service": None, "taux_commission": None, "couleur": None},
    }


@pytest.mark.parametrize("line", ['a,"b;\nc",d,é', 'O"Brien,b', "a,b,c,d,e,f,g", "a", '"unclosed,b,c,d,e'])
def test_a_line_of_another_form_comes_back_as_it_stood(line: str, tmp_path: Path) -> None:
    content = lines_of("services", {}) + line + "\n" + lines_of("services", {}).split("\n")[1]
    checked = read_and_check(text_file(tmp_path, "services", content))
    assert checked.refused_values == {2: {"line": line}}
    assert checked.good["row_number"].to_list() == [1, 3 + line.count("\n")]


def test_what_is_sealed_says_nothing_without_the_key(tmp_path: Path) -> None:
    changes = [{"client_id": "SECRET-7", "amount": "-5"}, {"client_id": "SECRET-7", "amount": "-5"}]
    sealed = read_and_check(text_file(tmp_path, "transactions", lines_of("transactions", *changes))).sealed
    assert dict(sealed.schema) == REFUSED_SCHEMA
    first, second = sealed["payload"]
    assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
    assert first[NONCE_BYTES:] != second[NONCE_BYTES:]
    sealed.write_ipc(tmp_path / "sealed.arrow")
    assert b"SECRET" not in (tmp_path / "sealed.arrow").read_bytes()
    assert "SECRET" not in repr(sealed) + str(sealed.to_dicts())
    other = Keyring(KEYRING.pseudonym, SecretStr(base64.b64encode(b"w" * 32).decode()))
    for key, purpose in (
        (other.vault_bytes("quarantine"), b"quarantine"),
        (KEYRING.vault_bytes("quarantine"), b"other"),
    ):
        with pytest.raises(InvalidTag):
            AESGCM(key).decrypt(first[:NONCE_BYTES], first[NONCE_BYTES:], purpose)


def test_a_refused_row_knows_its_client_by_pseudonym_only(tmp_path: Path) -> None:
    content = lines_of("transactions", {"client_id": "CLI-7", "amount": "-5"}, {"client_id": ""}) + "CLI-7,b\n"
    sealed = read_and_check(text_file(tmp_path, "transactions", content)).sealed.sort("row_number")
    (client,) = pseudonyms(pl.Series(["CLI-7"]), "client", KEYRING)
    assert sealed["client_ref"].to_list() == [client, None, None]


def test_clients_that_are_numbers_in_a_table_have_the_pseudonym_of_their_text(tmp_path: Path) -> None:
    row = {**GOOD["transactions"], "amount": "-5"}
    frame = pl.DataFrame([row]).with_columns(client_id=pl.lit(42, pl.Int64))
    sealed = read_and_check(table_file(tmp_path, "transactions", frame)).sealed
    assert sealed["client_ref"].to_list() == pseudonyms(pl.Series(["42"]), "client", KEYRING).to_list()


def test_a_feed_without_clients_has_none(tmp_path: Path) -> None:
    sealed = read_and_check(text_file(tmp_path, "channels", lines_of("channels", {"channel_name": ""}))).sealed
    assert sealed["client_ref"].to_list() == [None]


def test_typed_values_are_kept_as_text(tmp_path: Path) -> None:
    frame = pl.read_csv(lines_of("fraud_labels", {}).encode()).with_columns(
        is_fraud=pl.lit(5.5), reported_at=pl.lit("2024-05-20").str.to_datetime("%F", time_zone="UTC")
    )
    checked = read_and_check(table_file(tmp_path, "fraud_labels", frame))
    expected = {"transaction_id": "T1", "is_fraud": 5.5, "reported_at": "2024-05-20 00:00:00.000000 UTC"}
    found = checked.refused_values[1]
    assert {**found, "reported_at": found["reported_at"][:19]} == {**expected, "reported_at": "2024-05-20 00:00:00"}


def test_no_refused_rows_are_an_empty_frame_of_the_same_columns(tmp_path: Path) -> None:
    (lazy,) = open_reader(text_file(tmp_path, "channels", lines_of("channels", {}))).batches()
    batch = lazy.read()
    refused = pl.DataFrame(schema={"row_number": pl.Int64, "reasons": pl.List(pl.String)})
    assert dict(seal(batch, refused, KEYRING).schema) == REFUSED_SCHEMA


def test_every_refused_row_is_sealed_once_in_its_order(tmp_path: Path) -> None:
    (lazy,) = open_reader(text_file(tmp_path, "channels", lines_of("channels", *[{}] * 50))).batches()
    batch = lazy.read()
    refused = pl.DataFrame({"row_number": [40, 3, 17], "reasons": [["a", "b"], ["c"], ["d"]]})
    sealed = seal(replace(batch, raw=batch.raw.sample(fraction=1, shuffle=True, seed=1)), refused, KEYRING)
    assert sorted(sealed.select("row_number", "reasons").rows()) == [(3, ["c"]), (17, ["d"]), (40, ["a", "b"])]
