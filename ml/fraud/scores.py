"""Scores in the warehouse: one a transaction, replaced when it is scored again, written with what accounts for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from partitions.coverage import attached_spans, days_by_leaf
from partitions.grain import day_of
from partitions.layout import Layout
from partitions.leaves import create_attached
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import ConfigurationError, TargetError
from warehouse.ledger import WorkEntry, record_work
from warehouse.queries import query

TABLE = "ml.fraud_score"

COLUMNS = ("scored_at", "fraud_score", "date_key", "transaction_id", "model_version", "band", "reasons")


@dataclass(frozen=True)
class Work:
    """Whose scores these are."""

    connection: Connection
    run_id: int
    work_id: str


def make_leaves(connection: Connection, policies: Sequence[Policy], days: Sequence[int], timezone: str) -> None:
    """Create the leaves of scores that these days lack.

    Raises:
        ConfigurationError: there is no policy for scores.
    """
    policy = next((policy for policy in policies if policy.name == TABLE), None)
    if policy is None:
        raise ConfigurationError(f"no policy for {TABLE}", remedy="add it to the file of CAURI_PARTITIONS")
    layout = Layout(policy.grain, attached_spans(connection, TABLE))
    lacking = [day for span, within in days_by_leaf(connection, days, TABLE) if span is None for day in within]
    for span in sorted({layout.span_of(day_of(day)) for day in lacking}):
        create_attached(connection, policy, span, timezone)


def write_scores(work: Work, scores: pl.DataFrame, days: Sequence[int], *, whole: bool) -> None:
    """Write scores (`COLUMNS`) of some days, in a transaction with a row of the ledger for each leaf.

    `whole`: they are all that these days are to have; else they replace those of the same transactions.

    Raises:
        TransientTargetError: the run has lost the writer lock; nothing was written.
        TargetError: a transaction has two scores.
    """
    twice = scores.height - scores["transaction_id"].n_unique()
    if twice:
        raise TargetError(f"{twice:,} transactions would have two scores", remedy="report this: nothing was written")
    leaves = days_by_leaf(work.connection, days, TABLE)
    ordered = scores.sort("date_key", "transaction_id").select(COLUMNS)
    with work.connection.transaction():
        if not whole:
            _stage(work.connection, ordered)
        for span, within in leaves:
            delete = query("scores/delete_days") if whole else query("scores/delete_staged")
            work.connection.execute(delete, {"days": within})
            rows = ordered.filter(pl.col("date_key").is_in(within))
            copy_frame(work.connection, sql.Identifier("ml", "fraud_score"), rows)
            leaf = span.leaf_of(TABLE) if span else TABLE
            record_work(work.connection, work.work_id, work.run_id, WorkEntry(leaf, "scored", rows.height))


def _stage(connection: Connection, scores: pl.DataFrame) -> None:
    connection.execute(query("scores/stage"))
    copy_frame(connection, sql.Identifier("incoming_score"), scores.select("transaction_id", "date_key"))
    connection.execute("ANALYZE incoming_score")
