"""Twice is once; half and then the whole is the whole; and what becomes of rows that come again."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.summary import Summary
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.integration.test_load import assert_summary_agrees
from tests.loading import (
    SERVICE,
    Silence,
    client,
    content,
    everything,
    load,
    rows_of,
    sample_folder,
    settings_for,
    state,
    transaction,
    value_of,
    write_feed,
)
from warehouse.errors import TargetError

PLAN = SamplePlan(rows=5_000, months=3, dirty_share=0.01, duplicate_share=0.03, update_share=0.05)
LATER = "2024-01-16T08:00:00Z"


def files_like(source: Path, folder: Path, *patterns: str) -> Path:
    folder.mkdir()
    for pattern in patterns:
        for path in source.glob(pattern):
            shutil.copy(path, folder)
    return folder


def offer(url: str, folder: Path, rows: Sequence[dict[str, Any]], *, clients: Sequence[dict[str, Any]] = ()) -> Summary:
    """Load transactions as a delivery of their own."""
    write_feed(folder, "services", [SERVICE])
    if clients:
        write_feed(folder, "clients", clients)
    write_feed(folder, "transactions", rows)
    return load(folder, url)


def outcomes(summary: Summary) -> dict[str, int]:
    counts = summary.feeds["transactions"]
    return {name: counts[name] for name in ("loaded", "updated", "repeated", "rejected") if counts[name]}


def test_a_second_load_does_nothing(database_url: str) -> None:
    folder = sample_folder(PLAN)
    load(folder, database_url)
    before = everything(database_url)
    watcher = Silence()
    summary = load(folder, database_url, watcher=watcher)
    assert summary.status == "nothing"
    assert len(summary.skipped_files) == 8
    assert "8 file(s) skipped: the ledger has their content already" in watcher.said
    assert everything(database_url) == before


def test_the_same_content_under_other_names_is_skipped(database_url: str, tmp_path: Path) -> None:
    folder = sample_folder(PLAN)
    load(folder, database_url)
    before = everything(database_url)
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for path in folder.glob("*.csv"):
        shutil.copy(path, renamed / path.name.replace(".csv", "_again.csv"))
    assert load(renamed, database_url).status == "nothing"
    assert everything(database_url) == before


def test_the_same_content_twice_in_a_folder_is_read_once(database_url: str, tmp_path: Path) -> None:
    folder = files_like(sample_folder(PLAN), tmp_path / "feeds", "*.csv")
    shutil.copy(folder / "transactions_2024-02.csv", folder / "transactions_copy.csv")
    summary = load(folder, database_url)
    assert summary.notices == [
        "transactions_copy.csv (same content as transactions_2024-02.csv) is not read twice",
    ]
    assert value_of(database_url, "SELECT count(*) FROM ops.file") == 8


@pytest.mark.parametrize(
    "first",
    [
        ("services*", "channels*", "locations*", "clients*", "transactions_2024-01*"),
        ("services*", "transactions_2024-03*"),
        ("services*", "transactions_2024-02*", "fraud_labels*"),
        ("[!t]*.csv",),
    ],
    ids=["first month", "last month", "middle month", "dimensions"],
)
def test_a_part_and_then_the_whole_is_the_whole(
    database_url: str, template_database: tuple[str, str], tmp_path: Path, first: tuple[str, ...]
) -> None:
    whole = sample_folder(PLAN)
    load(files_like(whole, tmp_path / "part", *first), database_url)
    load(whole, database_url)
    with copied_database(*template_database) as other:
        load(whole, other)
        after, expected = content(database_url), content(other)
        if "clients*" in first or first == ("[!t]*.csv",):
            assert after == expected
        else:
            assert {name: after[name] for name in TOLD_BY_FILES} == {name: expected[name] for name in TOLD_BY_FILES}
    assert_summary_agrees(database_url)


TOLD_BY_FILES = ("client", "service", "channel", "location", "label", "identity", "dirty")


def test_months_one_by_one_are_the_whole(database_url: str, template_database: tuple[str, str], tmp_path: Path) -> None:
    """Updates and repeats of one month that come in the file of the next are merged."""
    whole = sample_folder(PLAN)
    load(files_like(whole, tmp_path / "base", "[!t]*.csv"), database_url)
    for path in sorted(whole.glob("transactions*")):
        load(files_like(whole, tmp_path / path.stem, path.name), database_url)
    with copied_database(*template_database) as other:
        load(whole, other)
        assert content(database_url) == content(other)
    assert (
        value_of(database_url, "SELECT count(*) FROM ops.quarantine WHERE 'conflicting_duplicate' = ANY (reasons)") > 0
    )
    assert_summary_agrees(database_url)


CASES = {
    "the same again": ([transaction(1), transaction(2)], {"loaded": 1, "repeated": 1}, ["1000 SUCCESS 20240115"] * 2),
    "a newer version": (
        [transaction(1, status="REVERSED", updated_at=LATER)],
        {"updated": 1},
        ["1000 REVERSED 20240115"],
    ),
    "an older version": (
        [transaction(1, status="PENDING", updated_at="2024-01-15T09:00:00Z")],
        {"repeated": 1},
        ["1000 SUCCESS 20240115"],
    ),
    "another amount in the same version": (
        [transaction(1, amount="1001")],
        {"rejected": 1},
        ["1000 SUCCESS 20240115"],
    ),
    "another client in the same version": (
        [transaction(1, client_id="C2")],
        {"rejected": 1},
        ["1000 SUCCESS 20240115"],
    ),
    "a newer version of another day": (
        [transaction(1, transaction_ts="2024-01-20T10:00:00Z", updated_at="2024-01-20T10:00:00Z")],
        {"updated": 1},
        ["1000 SUCCESS 20240120"],
    ),
    "a newer version of a new month": (
        [transaction(1, transaction_ts="2024-03-02T10:00:00Z", updated_at="2024-03-02T10:00:00Z")],
        {"updated": 1},
        ["1000 SUCCESS 20240302"],
    ),
    "the same version in a new month": (
        [transaction(1, transaction_ts="2024-03-02T10:00:00Z")],
        {"rejected": 1},
        ["1000 SUCCESS 20240115"],
    ),
    "an older version of a new month": (
        [transaction(1, transaction_ts="2024-03-02T10:00:00Z", updated_at="2024-01-01T00:00:00Z")],
        {"repeated": 1},
        ["1000 SUCCESS 20240115"],
    ),
    "two newer versions": (
        [
            transaction(1, status="FAILED", updated_at="2024-01-17T08:00:00Z"),
            transaction(1, status="REVERSED", updated_at="2024-01-18T08:00:00Z"),
        ],
        {"updated": 2},
        ["1000 REVERSED 20240115"],
    ),
    "newer versions in the wrong order": (
        [
            transaction(1, status="REVERSED", updated_at="2024-01-18T08:00:00Z"),
            transaction(1, status="FAILED", updated_at="2024-01-17T08:00:00Z"),
        ],
        {"updated": 1, "repeated": 1},
        ["1000 REVERSED 20240115"],
    ),
    "a newer version twice": (
        [transaction(1, status="FAILED", updated_at=LATER), transaction(1, status="FAILED", updated_at=LATER)],
        {"updated": 1, "repeated": 1},
        ["1000 FAILED 20240115"],
    ),
    "two contents of a newer version": (
        [transaction(1, amount="7", updated_at=LATER), transaction(1, amount="8", updated_at=LATER)],
        {"updated": 1, "rejected": 1},
        ["7 SUCCESS 20240115"],
    ),
    "other content that is the same": (
        [transaction(1, beneficiary_id="00225 07 01 02 03 04", amount="1000", channel_code=" APP ")],
        {"repeated": 1},
        ["1000 SUCCESS 20240115"],
    ),
}


@pytest.mark.parametrize(("rows", "expected", "facts"), CASES.values(), ids=CASES)
def test_what_becomes_of_a_row_that_comes_again(
    database_url: str, tmp_path: Path, rows: list[dict[str, Any]], expected: dict[str, int], facts: list[str]
) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    again = outcomes(offer(database_url, tmp_path / "2", rows))
    stored = rows_of(
        database_url,
        "SELECT format('%s %s %s', amount_minor, status_code, date_key) FROM dwh.fact_transactions"
        " JOIN dwh.dim_status USING (status_key) ORDER BY transaction_id",
    )
    assert (again, [fact for (fact,) in stored]) == (expected, facts)
    assert state(database_url)["staging"].startswith("0 rows")
    assert_summary_agrees(database_url)
    refused = rows_of(database_url, "SELECT reasons FROM ops.quarantine")
    assert refused == [(["conflicting_duplicate"],)] * expected.get("rejected", 0)


def test_a_row_of_this_run_that_the_warehouse_has_is_repeated_though_a_newer_one_follows(
    database_url: str, tmp_path: Path
) -> None:
    """Once both files are known, the counts are those of two loads one after the other."""
    offer(database_url, tmp_path / "1", [transaction(1)])
    again = offer(database_url, tmp_path / "2", [transaction(1), transaction(1, status="FAILED", updated_at=LATER)])
    assert outcomes(again) == {"updated": 1, "repeated": 1}


def test_a_conflict_with_the_warehouse_is_refused_though_a_newer_version_follows(
    database_url: str, tmp_path: Path
) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    rows = [transaction(1, amount="999"), transaction(1, status="FAILED", updated_at=LATER)]
    assert outcomes(offer(database_url, tmp_path / "2", rows)) == {"updated": 1, "rejected": 1}


def test_a_transaction_in_two_leaves_is_found_and_nothing_is_written(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1), transaction(2, transaction_ts="2024-02-01T00:00:00Z")])
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE dwh.fact_transactions SET transaction_id = 'T1' WHERE transaction_id = 'T2'")
    before = content(database_url)
    with pytest.raises(TargetError, match="1 transactions stand in more than one leaf"):
        offer(database_url, tmp_path / "2", [transaction(1, status="FAILED", updated_at=LATER)])
    assert content(database_url) == before


def test_versions_of_the_run_count_after_the_one_that_is_stored(database_url: str, tmp_path: Path) -> None:
    """The stored version is newer than some of the run and older than others; one of them goes into a new leaf."""
    offer(database_url, tmp_path / "1", [transaction(1, updated_at="2024-01-20T00:00:00Z")])
    versions = [
        transaction(1, amount="1", updated_at="2024-01-19T00:00:00Z"),
        transaction(1, amount="2", transaction_ts="2024-02-02T00:00:00Z", updated_at="2024-02-03T00:00:00Z"),
        transaction(1, amount="3", updated_at="2024-02-04T00:00:00Z"),
        transaction(1, amount="2", transaction_ts="2024-02-02T00:00:00Z", updated_at="2024-02-03T00:00:00Z"),
    ]
    assert outcomes(offer(database_url, tmp_path / "2", versions)) == {"updated": 2, "repeated": 2}
    stored = rows_of(database_url, "SELECT amount_minor, date_key FROM dwh.fact_transactions")
    assert [date_key for _, date_key in stored] == [20240115]
    assert len(stored) == 1
    assert_summary_agrees(database_url)


def test_a_moved_row_leaves_no_cell_behind(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    moved = transaction(1, transaction_ts="2024-02-01T00:00:00Z", updated_at="2024-02-02T00:00:00Z")
    offer(database_url, tmp_path / "2", [moved, transaction(2, transaction_ts="2024-02-03T00:00:00Z")])
    cells = rows_of(database_url, "SELECT date_key, transactions FROM dwh.fact_daily_client_summary ORDER BY date_key")
    assert cells == [(20240201, 1), (20240203, 1)]
    assert rows_of(database_url, "SELECT full_date::text FROM dwh.mv_daily_kpi ORDER BY 1") == [
        ("2024-02-01",),
        ("2024-02-03",),
    ]


def test_a_months_late_row_is_merged_into_its_old_leaf(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1), transaction(2, transaction_ts="2024-06-01T00:00:00Z")])
    summary = offer(database_url, tmp_path / "2", [transaction(3)])
    assert [(leaf["leaf"], leaf["action"]) for leaf in summary.leaves] == [("fact_transactions_2024_01", "merge")]
    assert value_of(database_url, "SELECT count(*) FROM dwh_parts.fact_transactions_2024_01") == 2
    assert_summary_agrees(database_url)


def test_merged_rows_point_at_the_version_that_was_true(database_url: str, tmp_path: Path) -> None:
    changes = [client("C1", "2024-01-01T00:00:00Z"), client("C1", "2024-01-10T00:00:00Z", risk_level="HIGH")]
    offer(database_url, tmp_path / "1", [transaction(1)], clients=changes)
    offer(database_url, tmp_path / "2", [transaction(2, transaction_ts="2024-01-05T00:00:00Z"), transaction(3)])
    stored = rows_of(
        database_url,
        "SELECT transaction_id, risk_level FROM dwh.fact_transactions JOIN dwh.dim_client USING (client_key)"
        " ORDER BY 1",
    )
    assert stored == [("T1", "HIGH"), ("T2", "LOW"), ("T3", "HIGH")]


def test_an_inferred_client_is_completed_in_place(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    before = rows_of(
        database_url, "SELECT client_key, is_inferred, risk_level FROM dwh.dim_client WHERE client_key > 0"
    )
    offer(database_url, tmp_path / "2", [transaction(2)], clients=[client("C1", "2024-01-01T00:00:00Z")])
    after = rows_of(database_url, "SELECT client_key, is_inferred, risk_level FROM dwh.dim_client WHERE client_key > 0")
    assert (before, after) == ([(1, True, "UNKNOWN")], [(1, False, "LOW")])
    assert rows_of(database_url, "SELECT DISTINCT client_key FROM dwh.fact_transactions") == [(1,)]


def test_a_late_change_of_a_client_restates_its_facts(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)], clients=[client("C1", "2024-01-01T00:00:00Z")])
    late = client("C1", "2024-01-10T00:00:00Z", risk_level="HIGH")
    offer(database_url, tmp_path / "2", [transaction(2)], clients=[late])
    stored = rows_of(
        database_url,
        "SELECT transaction_id, risk_level FROM dwh.fact_transactions JOIN dwh.dim_client USING (client_key)"
        " ORDER BY 1",
    )
    assert stored == [("T1", "HIGH"), ("T2", "HIGH")]
    assert_summary_agrees(database_url)


def test_two_loads_in_one_process_under_one_home(database_url: str, tmp_path: Path) -> None:
    """Snapshots of keys are remembered within a process: those of another run must not be taken for ours."""
    home = tmp_path / "home"
    home.mkdir()
    settings = settings_for(database_url, home)
    for number, name in enumerate(("C1", "C2", "C3"), start=1):
        folder = tmp_path / name
        write_feed(folder, "services", [SERVICE, {**SERVICE, "service_id": name}])
        write_feed(folder, "clients", [client(name, "2024-01-01T00:00:00Z", city=name)])
        write_feed(folder, "transactions", [transaction(number, client_id=name, service_id=name)])
        load(folder, database_url, settings=settings)
    stored = rows_of(
        database_url,
        "SELECT transaction_id, c.city, s.service_id FROM dwh.fact_transactions"
        " JOIN dwh.dim_client c USING (client_key) JOIN dwh.dim_service s USING (service_key) ORDER BY 1",
    )
    assert stored == [("T1", "C1", "C1"), ("T2", "C2", "C2"), ("T3", "C3", "C3")]


def test_what_a_killed_run_of_our_number_left_is_removed(database_url: str, tmp_path: Path) -> None:
    """In a container the next process often has the number of the one that was killed."""
    left = tmp_path / "home" / "work" / f"{os.getpid()}-left"
    left.mkdir(parents=True)
    (left / "shard-1.arrow").write_bytes(b"rest")
    write_feed(tmp_path / "feeds", "services", [SERVICE])
    load(tmp_path / "feeds", database_url, settings=settings_for(database_url, tmp_path / "home"))
    assert list((tmp_path / "home" / "work").iterdir()) == []


def test_a_run_that_lives_keeps_its_folder(database_url: str, tmp_path: Path) -> None:
    """A comparison or a dry run beside a load."""
    theirs = tmp_path / "home" / "work" / f"{os.getppid()}-busy"
    theirs.mkdir(parents=True)
    write_feed(tmp_path / "feeds", "services", [SERVICE])
    load(tmp_path / "feeds", database_url, settings=settings_for(database_url, tmp_path / "home"), dry_run=True)
    assert list((tmp_path / "home" / "work").iterdir()) == [theirs]
