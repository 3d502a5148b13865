"""`cauri fraud score` dies between two leaves: each has all of its scores or none, and the next run writes the rest."""

import time
from collections.abc import Iterator
from typing import LiteralString

import pytest

from partitions.coverage import attached_spans
from tests.loading import cauri, cauri_process
from tests.scoring import Scoring, Trained, copied
from warehouse.connection import Connection, connect, sql

pytest.importorskip("xgboost")

WAIT_SECONDS = 120
WAITING: LiteralString = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'cauri scores'
"""
BY_LEAF: LiteralString = """
SELECT count(*), count(s.transaction_id)
FROM dwh.fact_transactions f LEFT JOIN ml.fraud_score s USING (date_key, transaction_id)
GROUP BY f.date_key / 100 ORDER BY f.date_key / 100
"""


@pytest.fixture
def warehouse(trained_warehouse: Trained) -> Iterator[Scoring]:
    """With leaves for scores, and without scores."""
    with copied(trained_warehouse) as one:
        assert cauri("fraud", "score", "--all", url=one.url, home=one.home).code == 0
        with connect(one.url) as connection:
            connection.execute("TRUNCATE ml.fraud_score")
        yield one


def killed_at_leaf(warehouse: Scoring, leaf: sql.Identifier) -> None:
    """Kill the command while it waits to write this leaf, and wait until the server has noticed."""
    with connect(warehouse.url) as watching:
        with (
            connect(warehouse.url) as blocking,
            blocking.transaction(),
            cauri_process("fraud", "score", "--all", url=warehouse.url, home=warehouse.home) as process,
        ):
            blocking.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(leaf))
            _wait_until(watching, there_is=True)
            process.kill()
            process.communicate()
        _wait_until(watching, there_is=False)


def _wait_until(watching: Connection, *, there_is: bool) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while bool(watching.execute(WAITING).fetchall()) != there_is:
        assert time.monotonic() < deadline, "the command never waited for the leaf"
        time.sleep(0.01)


def scores_by_leaf(url: str) -> list[tuple[int, int]]:
    """Facts and scores of each month."""
    with connect(url) as connection:
        return connection.execute(BY_LEAF).fetchall()


def test_a_leaf_has_all_of_its_scores_or_none(warehouse: Scoring) -> None:
    with connect(warehouse.url) as connection:
        spans = sorted(attached_spans(connection, "ml.fraud_score"))
    for place in (1, 3):
        killed_at_leaf(warehouse, sql.Identifier("dwh_parts", spans[place].leaf_of("fraud_score")))
        found = scores_by_leaf(warehouse.url)
        assert [scores for _, scores in found] == [
            facts if leaf < place else 0 for leaf, (facts, _) in enumerate(found)
        ]
    done = cauri("fraud", "score", "--all", url=warehouse.url, home=warehouse.home)
    assert done.code == 0, done.told
    assert all(scores == facts > 0 for facts, scores in scores_by_leaf(warehouse.url))
