"""Scores in the warehouse: one a transaction, replaced when it is scored again, written with what accounts for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import LiteralString

import polars as pl

from engine.stale import mark_days
from partitions.coverage import attached_spans
from partitions.grain import Span, day_of
from partitions.layout import Layout
from partitions.leaves import create_attached
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import ConfigurationError, TargetError
from warehouse.ledger import WorkEntry, record_work
from warehouse.queries import query

TABLE = "ml.fraud_score"
_SCORES, _SHADOW_SCORES = sql.Identifier("ml", "fraud_score"), sql.Identifier("ml", "shadow_score")

COLUMNS = ("scored_at", "fraud_score", "date_key", "transaction_id", "model_version", "band", "reasons")


@dataclass(frozen=True)
class Work:
    """Whose scores these are."""

    connection: Connection
    run_id: int
    work_id: str


@dataclass(frozen=True)
class Leaf:
    """Some days (date keys) of a leaf of scores, which need not be there yet."""

    policy: Policy
    span: Span
    timezone: str
    days: tuple[int, ...]


def leaves_of(connection: Connection, policies: Sequence[Policy], days: Sequence[int], timezone: str) -> list[Leaf]:
    """The leaves of some days, in order.

    Raises:
        ConfigurationError: there is no policy for scores.
    """
    policy = next((policy for policy in policies if policy.name == TABLE), None)
    if policy is None:
        raise ConfigurationError(f"no policy for {TABLE}", remedy="add it to the file of CAURI_PARTITIONS")
    layout = Layout(policy.grain, attached_spans(connection, TABLE))
    of_spans = groupby(sorted(days), lambda day: layout.span_of(day_of(day)))
    return [Leaf(policy, span, timezone, tuple(within)) for span, within in of_spans]


def write_scores(
    work: Work, leaf: Leaf, scores: pl.DataFrame, *, whole: bool, shadow: pl.DataFrame | None = None
) -> None:
    """Write scores (`COLUMNS`) of the days of a leaf, and the shadow's, in a transaction with its row of the ledger.

    `whole`: they are all that these days are to have; else they replace those of the same transactions.

    Raises:
        TransientTargetError: the run has lost the writer lock; nothing was written.
        TargetError: a transaction has two scores.
    """
    # In the order of the index, which then grows at its end.
    scores = scores.sort("transaction_id")
    twice = int((scores["transaction_id"] == scores["transaction_id"].shift(1)).sum())
    if twice:
        raise TargetError(f"{twice:,} transactions would have two scores", remedy="report this: nothing was written")
    write = partial(_write, work, list(leaf.days), scores, shadow, whole)
    if leaf.span in attached_spans(work.connection, TABLE):
        with work.connection.transaction():
            write(None)
    else:
        create_attached(work.connection, leaf.policy, leaf.span, leaf.timezone, fill=write)


def _write(
    work: Work,
    days: Sequence[int],
    scores: pl.DataFrame,
    shadow: pl.DataFrame | None,
    whole: bool,
    new_leaf: sql.Identifier | None,
) -> None:
    if not whole:
        work.connection.execute(query("scores/stage"))
        copy_frame(work.connection, sql.Identifier("incoming_score"), scores.select("transaction_id", "date_key"))
        work.connection.execute("ANALYZE incoming_score")
    delete = query("scores/delete_days") if whole else query("scores/delete_staged")
    if new_leaf:
        copy_frame(work.connection, new_leaf, scores.select(COLUMNS), freeze=True)
    else:
        _replace(work.connection, delete, _SCORES, scores.select(COLUMNS), days)
    if shadow is not None:
        _replace(work.connection, delete, _SHADOW_SCORES, shadow.sort("transaction_id"), days)
    mark_days(work.connection, days, facts=False)
    record_work(
        work.connection, work.work_id, work.run_id, WorkEntry(f"fraud_score {days[0]}", "scored", scores.height)
    )


def _replace(
    connection: Connection, delete: LiteralString, table: sql.Identifier, scores: pl.DataFrame, days: Sequence[int]
) -> None:
    connection.execute(sql.SQL(delete).format(table=table), {"days": list(days)})
    copy_frame(connection, table, scores)


def forget_shadow_scores(connection: Connection, version: str | None, first: int) -> None:
    """Remove shadow scores of other models than this one, and of days (date keys) before the first."""
    connection.execute(query("scores/forget_shadow"), {"version": version, "first": first})
