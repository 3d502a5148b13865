"""The small dimensions, clients and beneficiaries: members are updated in place, and keys never change."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from engine import beneficiaries
from tests.loading import SERVICE, client, load, rows_of, transaction, write_feed
from warehouse.connection import connect

PLACE = {
    "location_code": "ABJ",
    "city": "Abidjan",
    "region": "",
    "country_code": "CI",
    "latitude": "5.3",
    "longitude": "-4",
}


def outcomes(summary: Any, feed: str) -> dict[str, int]:
    counts = summary.feeds[feed]
    return {name: counts[name] for name in ("loaded", "updated", "repeated", "rejected") if counts[name]}


def test_key_zero_is_the_unknown_member_everywhere(database_url: str) -> None:
    for dimension in ["client", "service", "channel", "location", "beneficiary", "currency", "status"]:
        found = rows_of(database_url, f"SELECT count(*) FROM dwh.dim_{dimension} WHERE {dimension}_key = 0")
        assert found == [(1,)]


def test_a_member_is_updated_in_place(database_url: str, tmp_path: Path) -> None:
    services = [SERVICE, {**SERVICE, "service_id": "S2"}, {**SERVICE, "service_id": "S3", "commission_rate": "1.25"}]
    write_feed(tmp_path / "1", "services", services)
    load(tmp_path / "1", database_url)
    renamed = {**SERVICE, "service_id": "S2", "service_name": "Bills"}
    write_feed(tmp_path / "2", "services", [renamed, SERVICE, {**SERVICE, "service_id": "S0"}, services[2]])
    summary = load(tmp_path / "2", database_url)
    assert outcomes(summary, "services") == {"loaded": 1, "updated": 1, "repeated": 2}
    stored = rows_of(database_url, "SELECT service_key, service_id, service_name FROM dwh.dim_service ORDER BY 1")
    assert stored[1:] == [(1, "S1", "Salaries"), (2, "S2", "Bills"), (3, "S3", "Salaries"), (4, "S0", "Salaries")]


def test_the_last_row_of_a_file_wins(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "channels", [{"channel_code": "APP", "channel_name": name} for name in ("a", "b", "b", "c")])
    assert outcomes(load(tmp_path, database_url), "channels") == {"loaded": 1, "updated": 2, "repeated": 1}
    assert rows_of(database_url, "SELECT channel_name FROM dwh.dim_channel WHERE channel_key = 1") == [("c",)]


def test_defaults_of_a_service(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [{"service_id": "S1", "service_name": "Salaries"}])
    load(tmp_path, database_url)
    stored = rows_of(
        database_url, "SELECT category, commission_rate, is_active FROM dwh.dim_service WHERE service_key = 1"
    )
    assert [(category, float(rate), active) for category, rate, active in stored] == [("UNKNOWN", 0.0, True)]


def test_codes_that_only_transactions_know_are_completed_later(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path / "1", "services", [SERVICE])
    write_feed(tmp_path / "1", "transactions", [transaction(1), transaction(2, channel_code="", location_code="")])
    load(tmp_path / "1", database_url)
    inferred = rows_of(
        database_url, "SELECT location_key, location_code, city, is_inferred FROM dwh.dim_location ORDER BY 1"
    )
    assert inferred[1:] == [(1, "ABJ", None, True)]
    assert rows_of(
        database_url, "SELECT channel_key, location_key FROM dwh.fact_transactions ORDER BY transaction_id"
    ) == [
        (1, 1),
        (0, 0),
    ]
    write_feed(tmp_path / "2", "locations", [PLACE])
    assert outcomes(load(tmp_path / "2", database_url), "locations") == {"updated": 1}
    completed = rows_of(
        database_url, "SELECT location_key, location_code, city, is_inferred FROM dwh.dim_location ORDER BY 1"
    )
    assert completed[1:] == [(1, "ABJ", "Abidjan", False)]


def test_a_place_with_the_same_content_is_repeated(database_url: str, tmp_path: Path) -> None:
    """Numbers compare as numbers, empty text as missing."""
    write_feed(tmp_path / "1", "locations", [PLACE])
    write_feed(tmp_path / "2", "locations", [{**PLACE, "latitude": "5.30", "region": " "}])
    load(tmp_path / "1", database_url)
    assert outcomes(load(tmp_path / "2", database_url), "locations") == {"repeated": 1}


@pytest.mark.parametrize("at_once", [beneficiaries.AT_ONCE, 1])
def test_one_phone_number_in_many_spellings_is_one_beneficiary(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(beneficiaries, "AT_ONCE", at_once)
    spellings = ["+2250701020304", "00225 07 01 02 03 04", "+225 07-01-02-03-04", " +2250701020304 "]
    write_feed(tmp_path / "1", "services", [SERVICE])
    rows = [transaction(n, beneficiary_id=text) for n, text in enumerate(spellings)]
    write_feed(
        tmp_path / "1",
        "transactions",
        [*rows, transaction(9, beneficiary_id=""), transaction(10, beneficiary_id="MRC-1")],
    )
    load(tmp_path / "1", database_url)
    stored = rows_of(
        database_url, "SELECT beneficiary_type, country_code, first_seen_on::text FROM dwh.dim_beneficiary ORDER BY 1"
    )
    assert stored == [("ACCOUNT", None, "2024-01-15"), ("UNKNOWN", None, None), ("WALLET", "CI", "2024-01-15")]
    distinct = "SELECT distinct_beneficiaries FROM dwh.fact_daily_client_summary"
    assert rows_of(database_url, distinct) == [(2,)]
    write_feed(tmp_path / "2", "transactions", [transaction(20, beneficiary_id=spellings[1])])
    load(tmp_path / "2", database_url)
    assert rows_of(database_url, "SELECT count(*) FROM dwh.dim_beneficiary") == [(3,)]
    assert rows_of(database_url, distinct) == [(2,)]


def test_the_first_day_of_a_beneficiary_is_that_of_any_spelling(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    spellings = {"17": "+2250701020304", "15": "00225 07 01 02 03 04", "16": "+225 07-01-02-03-04"}
    rows = [
        transaction(n, beneficiary_id=text, transaction_ts=f"2024-01-{day}T10:00:00Z")
        for n, (day, text) in enumerate(spellings.items())
    ]
    write_feed(tmp_path, "transactions", rows)
    load(tmp_path, database_url)
    days = "SELECT first_seen_on::text FROM dwh.dim_beneficiary WHERE beneficiary_key > 0"
    assert rows_of(database_url, days) == [("2024-01-15",)]


@pytest.mark.parametrize("is_read", [False, True])
def test_indexes_of_many_new_beneficiaries_are_built_afterwards_unless_somebody_reads(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
) -> None:
    monkeypatch.setattr(beneficiaries, "MANY", 3)
    indexes = (
        "SELECT indexrelid, indexrelid::regclass::text FROM pg_index"
        " WHERE indrelid = 'dwh.dim_beneficiary'::regclass AND indisunique AND indisvalid ORDER BY 2"
    )
    before = rows_of(database_url, indexes)
    rows = [transaction(n, beneficiary_id=f"MRC-{n}") for n in range(8)]
    write_feed(tmp_path / "1", "services", [SERVICE])
    write_feed(tmp_path / "1", "transactions", rows[:5])
    with connect(database_url) as reader, reader.transaction() if is_read else nullcontext():
        reader.execute("SELECT count(*) FROM dwh.dim_beneficiary")
        load(tmp_path / "1", database_url)
    built = rows_of(database_url, indexes)
    assert [name for _, name in built] == [name for _, name in before]
    assert (built == before) == is_read
    # There are some: those are not indexed again for others.
    write_feed(tmp_path / "2", "transactions", rows[3:])
    load(tmp_path / "2", database_url)
    assert rows_of(database_url, indexes) == built
    assert rows_of(database_url, "SELECT count(*), max(beneficiary_key) FROM dwh.dim_beneficiary") == [(9, 8)]


def test_a_late_row_moves_the_first_day_of_a_beneficiary_back_and_a_later_one_does_not(
    database_url: str, tmp_path: Path
) -> None:
    write_feed(tmp_path / "1", "services", [SERVICE])
    days = {"1": ("02-10", "MRC-1"), "2": ("01-20", " MRC-1"), "3": ("01-25", "MRC-1"), "4": ("03-01", "MRC-1")}
    found = []
    for number, (day, name) in days.items():
        rows = [transaction(n, transaction_ts=f"2024-{day}T10:00:00Z", beneficiary_id=name) for n in (int(number),)]
        write_feed(tmp_path / number, "transactions", rows)
        load(tmp_path / number, database_url)
        found += rows_of(database_url, "SELECT first_seen_on::text FROM dwh.dim_beneficiary WHERE beneficiary_key > 0")
    assert found == [("2024-02-10",), ("2024-01-20",), ("2024-01-20",), ("2024-01-20",)]


def test_a_client_has_one_code_whatever_its_version(database_url: str, tmp_path: Path) -> None:
    changes = [client("C1", "2024-01-01T00:00:00Z"), client("C1", "2024-02-01T00:00:00Z", risk_level="HIGH")]
    write_feed(tmp_path, "clients", [*changes, client("C2", "2024-01-01T00:00:00Z")])
    load(tmp_path, database_url)
    codes = [code for (code,) in rows_of(database_url, "SELECT client_code FROM dwh.dim_client WHERE client_key > 0")]
    assert len(codes) == 3
    assert len(set(codes)) == 2
    assert all(len(code) == 11 and code[5] == "-" and not set(code) & set("ILOU") for code in codes)


def test_outcomes_of_client_changes(database_url: str, tmp_path: Path) -> None:
    first = client("C1", "2024-01-01T00:00:00Z")
    rows = [first, first, {**first, "risk_level": "HIGH"}, client("C1", "2024-02-01T00:00:00Z"), client("C2", "never")]
    write_feed(tmp_path, "clients", rows)
    assert outcomes(load(tmp_path, database_url), "clients") == {
        "loaded": 2,
        "updated": 1,
        "repeated": 1,
        "rejected": 1,
    }
    stored = rows_of(
        database_url, "SELECT risk_level, is_current FROM dwh.dim_client WHERE client_key > 0 ORDER BY valid_from"
    )
    assert stored == [("HIGH", False), ("LOW", True)]
