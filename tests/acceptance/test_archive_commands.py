"""`cauri partitions archive`, `restore` and `archives`, by their words."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from cli.partitions_names import leaf_named
from partitions.catalog import Leaf
from sample.plan import SamplePlan
from tests.integration.test_load import assert_summary_agrees
from tests.loading import SERVICE, cauri, client, load, rows_of, sample_folder, state, transaction, write_feed
from warehouse.lock import single_writer

PLAN = SamplePlan(rows=3_000, months=2, dirty_share=0.01, duplicate_share=0.01, update_share=0.02)
FACTS, SUMMARY = "fact_transactions_2024_01", "fact_daily_client_summary_2024_01"


@pytest.fixture
def url(database_url: str) -> str:
    """A warehouse with two months in it."""
    load(sample_folder(PLAN), database_url)
    return database_url


def told(url: str, home: Path, *arguments: str) -> dict[str, Any]:
    """What a command of the group prints as JSON."""
    said = cauri("partitions", *arguments, "--json", url=url, home=home)
    assert said.code == 0, said.told
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_month_goes_into_the_archive_and_comes_back(url: str, tmp_path: Path) -> None:
    before = state(url)
    kept = told(url, tmp_path, "archive", "dwh.fact_transactions", FACTS)
    assert [(one["leaf"], one["kept"], one["dropped"]) for one in kept["archived"]] == [(FACTS, False, False)]
    assert state(url) == before
    gone = told(url, tmp_path, "archive", "fact_transactions", "2024-01", "2024-01", "--drop")
    assert [(one["kept"], one["dropped"]) for one in gone["archived"]] == [(True, True)]
    assert gone["notes"] == [
        f"dwh.fact_daily_client_summary still has {SUMMARY} for these days: archive and drop that, too"
    ]
    assert told(url, tmp_path, "archive", "fact_daily_client_summary", SUMMARY, "--drop")["notes"] == []
    assert rows_of(url, "SELECT DISTINCT date_key / 100 FROM dwh.fact_transactions") == [(202402,)]
    back = told(url, tmp_path, "restore", "fact_transactions", "2024-01", "--until", "2099-12-31")
    assert [one["leaf"] for one in back["restored"]] == [FACTS, SUMMARY]
    assert back["held_until"] == "2099-12-31"
    assert state(url) == before
    assert rows_of(url, "SELECT DISTINCT until::text FROM ops.leaf_hold") == [("2099-12-31",)]
    assert [one["state"] for one in told(url, tmp_path, "archives")["archives"]] == ["restored", "restored"]
    assert cauri("compare", sample_folder(PLAN), url=url, home=tmp_path).code == 0


def test_a_leaf_that_is_named_twice_goes_once_although_its_statistics_change(url: str, tmp_path: Path) -> None:
    calls = count(1)

    def as_the_catalog_sees_it_later(*arguments: Any) -> Leaf:
        return replace(leaf_named(*arguments), frozen_age=next(calls))

    with mock.patch("cli.partitions_archive.leaf_named", as_the_catalog_sees_it_later):
        gone = told(url, tmp_path, "archive", "fact_transactions", "2024-01", FACTS, "--drop")
    assert [one["leaf"] for one in gone["archived"]] == [FACTS]


@pytest.mark.parametrize("summary_goes", [True, False])
def test_facts_that_come_back_follow_the_history_of_their_clients(
    database_url: str, tmp_path: Path, *, summary_goes: bool
) -> None:
    """History changes while a month is away: a version is split, and one is removed."""
    folder, url = tmp_path / "0", database_url
    days = ["05", "15", "25"]
    facts = [
        transaction(n, transaction_ts=f"2024-01-{day}T10:00:00Z", client_id=f"C{n % 2}")
        for n, day in enumerate(days * 2)
    ]
    changes = [client(f"C{n}", "2024-01-01T00:00:00Z") for n in range(2)]
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", facts)
    write_feed(folder, "clients", [*changes, client("C1", "2024-01-10T00:00:00Z", risk_level="HIGH")])
    load(folder, url)
    told(url, tmp_path, "archive", "fact_transactions", "2024-01", "--drop")
    if summary_goes:
        told(url, tmp_path, "archive", "fact_daily_client_summary", "2024-01", "--drop")
    late = [client("C0", "2024-01-10T00:00:00Z", risk_level="HIGH"), client("C1", "2024-01-10T00:00:00Z")]
    write_feed(tmp_path / "1", "clients", late)
    assert load(tmp_path / "1", url).restated_facts == 0
    sums = "SELECT sum(transactions)::int, count(c.client_key) = count(*) FROM dwh.fact_daily_client_summary"
    kept = rows_of(url, f"{sums} LEFT JOIN dwh.dim_client c USING (client_key)")
    assert kept == ([(None, True)] if summary_goes else [(6, True)])
    assert told(url, tmp_path, "restore", "fact_transactions", "2024-01")["restated_facts"] == 4
    seen = (
        "SELECT transaction_id, risk_level FROM dwh.fact_transactions JOIN dwh.dim_client USING (client_key) ORDER BY 1"
    )
    assert [risk for _, risk in rows_of(url, seen)] == ["LOW", "LOW", "HIGH", "LOW", "HIGH", "LOW"]
    assert_summary_agrees(url)


def test_what_a_person_reads(url: str, tmp_path: Path) -> None:
    nothing = cauri("partitions", "archives", url=url, home=tmp_path)
    assert "Nothing was archived" in nothing.out
    archived = cauri("partitions", "archive", "fact_transactions", FACTS, url=url, home=tmp_path)
    assert archived.out.startswith(f"{FACTS}: archived, ")
    listed = cauri("partitions", "archives", "fact_transactions", "--verify", url=url, home=tmp_path)
    assert "archived" in listed.out
    assert "damaged" not in listed.out
    (path,) = (tmp_path / "archive").rglob("*.parquet")
    narrow = cauri("partitions", "archives", url=url, home=tmp_path, variables={"COLUMNS": "40"})
    assert path.name in narrow.out
    path.write_bytes(path.read_bytes()[:-1])
    damaged = cauri("partitions", "archives", "--verify", url=url, home=tmp_path)
    assert (damaged.code, "damaged: " in damaged.out) == (1, True)
    found = json.loads(cauri("partitions", "archives", "--verify", "--json", url=url, home=tmp_path).out)
    assert "bytes, the ledger says" in found["archives"][0]["damage"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("archive", "fact_transaction", FACTS), 2, "did you mean dwh.fact_transactions"),
        (("archive", "fact_transactions", "fact_transactions_2024_1"), 2, f"did you mean {FACTS}"),
        (("archives", "fact"), 2, "no policy has a table fact"),
        (("restore", "fact_transactions", "2024-01"), 2, "nothing was archived yet"),
        (("restore", "fact_transactions", FACTS, "--until", "tomorrow"), 2, "does not match the format"),
    ],
)
def test_errors_of_typing(url: str, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    said = cauri("partitions", *arguments, url=url, home=tmp_path)
    assert (said.code, message in " ".join(said.told.split())) == (code, True), said.told


def test_errors_of_state(url: str, tmp_path: Path) -> None:
    told(url, tmp_path, "archive", "fact_transactions", FACTS)
    standing = cauri("partitions", "restore", "fact_transactions", FACTS, url=url, home=tmp_path)
    assert (standing.code, "has days of 2024-01 already" in standing.told) == (1, True)
    with single_writer(url):
        busy = cauri("partitions", "archive", "fact_transactions", FACTS, url=url, home=tmp_path)
    assert (busy.code, "another run is writing" in busy.told) == (75, True)
