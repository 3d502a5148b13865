"""Refused rows: kept whole, encrypted, with every reason."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr

from engine.selection import counts_by_reason, refused_rows
from tests.integration.test_load import dumped
from tests.loading import KEYRING, PSEUDONYM_KEY, SERVICE, client, load, rows_of, transaction, write_feed
from warehouse.connection import connect
from warehouse.keyring import Keyring

BAD = [
    transaction(1, client_id="SECRET-1", amount="-5", status="LOST"),
    transaction(2),
    transaction(3, client_id="", currency="ZZZ", amount="NaN"),
    transaction(4, client_id="SECRET-4", transaction_ts="yesterday"),
]


@pytest.fixture
def loaded_url(database_url: str, tmp_path: Path) -> str:
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "clients", [client("C1", "never", company_name="SECRET-NAME")])
    path = write_feed(tmp_path, "transactions", BAD)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("SECRET-RAGGED,too,few\n")
    load(tmp_path, database_url)
    return database_url


def test_each_row_has_every_reason_and_its_raw_values(loaded_url: str) -> None:
    with connect(loaded_url) as connection:
        rows = {(row.feed, row.row_number): row for row in refused_rows(connection, KEYRING, None)}
        counts = counts_by_reason(connection)
    assert {key: set(row.reasons) for key, row in rows.items()} == {
        ("clients", 1): {"effective_at_invalid"},
        ("transactions", 1): {"amount_negative", "status_unknown"},
        ("transactions", 3): {"client_id_missing", "currency_unknown", "amount_invalid"},
        ("transactions", 4): {"transaction_ts_invalid"},
        ("transactions", 5): {"too_few_fields"},
    }
    assert (rows["transactions", 1].values or {})["client_id"] == "SECRET-1"
    assert (rows["transactions", 1].values or {})["amount"] == "-5"
    assert "SECRET-RAGGED,too,few" in str(rows["transactions", 5].values)
    assert rows["clients", 1].file_name == "clients.csv"
    assert sum(one.rows for one in counts) == 8


def test_a_limit(loaded_url: str) -> None:
    with connect(loaded_url) as connection:
        assert len(list(refused_rows(connection, KEYRING, 2))) == 2


def test_nothing_of_it_can_be_read_in_the_database(loaded_url: str) -> None:
    assert not any("SECRET" in text for text in dumped(loaded_url))


def test_another_key_opens_nothing(loaded_url: str) -> None:
    other = Keyring(SecretStr(PSEUDONYM_KEY), SecretStr(PSEUDONYM_KEY))
    with connect(loaded_url) as connection, pytest.raises(InvalidTag):
        list(refused_rows(connection, other, None))


def test_rows_of_a_client_can_be_found_for_its_erasure(loaded_url: str) -> None:
    refs: dict[int, bytes] = dict(
        rows_of(loaded_url, "SELECT row_number, client_ref FROM ops.quarantine WHERE feed = 'transactions'")
    )
    assert refs[3] is None
    assert len(bytes(refs[1])) == 32
    assert refs[1] != refs[4]


def test_the_same_file_under_other_rules_is_refused_row_by_row_once(loaded_url: str) -> None:
    before = rows_of(
        loaded_url, "SELECT count(*), count(DISTINCT (content_hash, feed, row_number)) FROM ops.quarantine"
    )
    assert before == [(5, 5)]
