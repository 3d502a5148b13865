"""All scores of a leaf, written anew: a new leaf takes the place of the old one, unless somebody is in the way."""

from collections.abc import Iterator
from datetime import date
from typing import Any, LiteralString

import pytest

from ml.fraud.score import score_days
from ml.fraud.scores import TABLE
from ml.fraud.windows import Days
from partitions.grain import span_named
from partitions.leaves import create_aside
from partitions.policy import policies_of
from tests.loading import rows_of
from tests.scoring import Scoring, Trained, copied
from warehouse.connection import Connection, connect

pytest.importorskip("xgboost")

COUNT: LiteralString = "SELECT count(*) FROM ml.fraud_score"
ALL = "SELECT transaction_id, date_key, fraud_score, band, reasons, model_version FROM ml.fraud_score ORDER BY 1, 2"
LEAVES = """
SELECT c.relname, c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'ml.fraud_score'::regclass ORDER BY 1
"""
STAGED = "SELECT count(*) FROM pg_class WHERE relnamespace = 'staging'::regnamespace AND relname LIKE 'fraud_score%'"
LOOSE = """
SELECT count(*) FROM pg_inherits i
WHERE i.inhparent = 'ml.fraud_score'::regclass
  AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid AND x.indisunique AND x.indisvalid)
"""


@pytest.fixture
def scored(trained_warehouse: Trained) -> Iterator[Scoring]:
    with copied(trained_warehouse) as one:
        score_days(one.site, None)
        yield one


def leaves(scored: Scoring) -> dict[str, int]:
    """Which table each leaf is."""
    return dict(rows_of(scored.url, LEAVES))


def rescored(scored: Scoring, days: Days | None = None) -> tuple[list[tuple[Any, ...]], set[str]]:
    """All scores after the days were scored again, which are what they were, and the leaves that are other tables."""
    before, rows = leaves(scored), rows_of(scored.url, ALL)
    score_days(scored.site, days)
    after = leaves(scored)
    assert after.keys() == before.keys()
    assert rows_of(scored.url, ALL) == rows
    assert rows_of(scored.url, f"SELECT ({STAGED}), ({LOOSE})") == [(0, 0)]
    return rows, {name for name in after if after[name] != before[name]}


def test_scoring_all_again_makes_every_leaf_anew(scored: Scoring) -> None:
    _, renewed = rescored(scored)
    assert renewed == leaves(scored).keys()
    ledger = "SELECT count(*), count(DISTINCT run_id) FROM ops.leaf WHERE state = 'scored'"
    assert rows_of(scored.url, ledger) == [(2 * len(renewed), 2)]


def test_some_days_of_a_leaf_leave_the_others_where_they_are(scored: Scoring) -> None:
    _, renewed = rescored(scored, Days(date(2024, 2, 10), date(2024, 4, 1)))
    assert renewed == {"fraud_score_2024_03"}


def test_scores_of_days_that_have_no_facts_any_more_stay(scored: Scoring) -> None:
    for table in ("dwh.fact_transactions", "ops.day_total"):
        rows_of(scored.url, f"DELETE FROM {table} WHERE date_key = 20240430 RETURNING 1")
    rows, renewed = rescored(scored)
    assert 20240430 in {day for _, day, *_ in rows}
    assert leaves(scored).keys() - renewed == {"fraud_score_2024_04"}


def test_who_reads_a_leaf_for_long_goes_on_and_hinders_nobody(scored: Scoring) -> None:
    with connect(scored.url) as reading, reading.transaction():
        assert count(reading, "SELECT count(*) FROM dwh_parts.fraud_score_2024_02")
        _, renewed = rescored(scored)
    # The parent is not in use: the others were renewed beside it.
    assert leaves(scored).keys() - renewed == {"fraud_score_2024_02"}


def test_a_leaf_that_a_view_hangs_on_stays(scored: Scoring) -> None:
    with connect(scored.url) as connection:
        connection.execute("CREATE VIEW dwh.of_march AS SELECT * FROM dwh_parts.fraud_score_2024_03")
        _, renewed = rescored(scored)
        assert count(connection, "SELECT count(*) FROM dwh.of_march")
    assert leaves(scored).keys() - renewed == {"fraud_score_2024_03"}


def test_an_older_snapshot_sees_each_score_once(scored: Scoring) -> None:
    with connect(scored.url) as reading, reading.transaction():
        reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reading.execute("SELECT count(*) FROM dwh.dim_date")
        rows, renewed = rescored(scored)
        assert renewed == leaves(scored).keys()
        assert count(reading, COUNT) == len(rows)


def test_what_a_killed_run_built_aside_is_dropped_by_the_next_one_whatever_days_it_scores(scored: Scoring) -> None:
    with connect(scored.url) as connection, connection.transaction():
        left = span_named("fraud_score_2024_02", TABLE)
        policy = next(one for one in policies_of(scored.site.settings) if one.name == TABLE)
        assert left is not None
        create_aside(connection, policy, left, "UTC")
    assert rows_of(scored.url, STAGED) == [(1,)]
    rescored(scored, Days(date(2024, 3, 1), date(2024, 4, 1)))


def count(connection: Connection, statement: LiteralString) -> int:
    """The number that a statement finds."""
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])
