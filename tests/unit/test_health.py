"""What the facts mean."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.health import (
    covered_days,
    disk_check,
    premade_check,
    rejected_check,
    schema_check,
    success_check,
    writer_check,
)
from partitions.catalog import Leaf, Table
from partitions.grain import Grain
from partitions.policy import read_policies

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RUN = {"run_id": 7, "command": "load", "pid": 42, "lease_until": NOW, "expired": False}


@pytest.mark.parametrize(
    ("missing", "newer", "found", "remedy"),
    [
        ([], [], "up to date", ""),
        (["0021_more.sql"], [], "1 script(s) to apply", "cauri init"),
        ([], ["0022_most.sql"], "of a newer Cauri (0022_most.sql)", "update Cauri here"),
        (["010_v_transactions.sql"], ["0022_most.sql"], "of a newer Cauri (0022_most.sql)", "update Cauri here"),
    ],
)
def test_the_schema(missing: list[str], newer: list[str], found: str, remedy: str) -> None:
    check = schema_check(missing, newer)
    assert (check.healthy, check.found, check.remedy) == (not remedy, found, remedy)


@pytest.mark.parametrize(
    ("holder", "killed", "healthy", "words"),
    [
        (None, [], True, "nobody"),
        (RUN, [], True, "load 7 is writing"),
        ({**RUN, "run_id": None, "expired": None}, [], True, "without a run"),
        ({**RUN, "expired": True}, [], False, "has not renewed its lease"),
        (None, [RUN], False, "load 7 was killed"),
        (RUN, [RUN], True, "is writing"),
    ],
)
def test_the_writer(holder: dict[str, Any] | None, killed: list[dict[str, Any]], healthy: bool, words: str) -> None:
    check = writer_check(holder, killed)
    assert (check.healthy, words in check.found, bool(check.remedy)) == (healthy, True, not healthy)


@pytest.mark.parametrize(("hours", "healthy"), [(25.9, True), (26, True), (26.1, False)])
def test_the_last_success(hours: float, healthy: bool) -> None:
    assert success_check(NOW - timedelta(hours=hours), 26, NOW).healthy is healthy
    assert not success_check(None, 26, NOW).healthy


@pytest.mark.parametrize(("share", "healthy"), [(0.0, True), (0.05, True), (0.051, False)])
def test_the_rejected_share(share: float, healthy: bool) -> None:
    assert rejected_check({"run_id": 1, "rejected_share": share}, 0.05).healthy is healthy
    assert rejected_check(None, 0.05).healthy


def test_the_disk(tmp_path: Path) -> None:
    assert disk_check(tmp_path / "not" / "there", 0).healthy
    assert not disk_check(tmp_path, 1).healthy


def table(*months: int) -> Table:
    spans = [Grain.MONTH.span_of(date(2026, month, 1)) for month in months]
    leaves = tuple(Leaf("dwh.fact_transactions", "dwh_parts", f"leaf_{span.first}", span) for span in spans)
    return Table("dwh.fact_transactions", leaves=leaves)


@pytest.mark.parametrize(
    ("months", "days"), [((3,), 22), ((3, 4), 40), ((4,), 0), ((), 0), ((3, 5), 22), ((1, 2, 3, 4, 5), 40)]
)
def test_days_that_have_leaves(months: tuple[int, ...], days: int) -> None:
    assert covered_days(table(*months), NOW.date(), 40) == days


def test_leaves_that_are_made_ahead() -> None:
    policies = [policy for policy in read_policies() if policy.name == "dwh.fact_transactions"]
    enough = premade_check(policies, {"dwh.fact_transactions": table(3, 4)}, 30, NOW.date())
    short = premade_check(policies, {"dwh.fact_transactions": table(3)}, 30, NOW.date())
    assert enough.healthy
    assert (short.healthy, short.remedy) == (False, "cauri partitions apply")
    assert "dwh.fact_transactions" in short.found
