"""Scores in the warehouse: one a transaction, replaced when it is scored again, written with what accounts for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from engine.stale import mark_days
from partitions.coverage import attached_leaves, attached_spans
from partitions.grain import Span, day_of
from partitions.layout import Layout
from partitions.leaves import attached, create_attached
from partitions.policy import Policy
from partitions.renewal import renew
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
    writing = _Writing(work, leaf, scores, shadow, whole)
    there = attached_leaves(work.connection, TABLE).get(leaf.span)
    if there is None:
        create_attached(work.connection, leaf.policy, leaf.span, leaf.timezone, writing.create)
    elif not (writing.is_all_of(there) and writing.renew()):
        with work.connection.transaction():
            writing.replace()


@dataclass(frozen=True)
class _Writing:
    """Scores of the days of a leaf, in the order of their ids, and the three ways in which they get there."""

    work: Work
    leaf: Leaf
    scores: pl.DataFrame
    shadow: pl.DataFrame | None
    whole: bool

    def is_all_of(self, there: sql.Identifier) -> bool:
        """Will nothing be left of the leaf that is there?"""
        if not self.whole or there != attached(self.leaf.policy, self.leaf.span):
            return False
        others = sql.SQL(query("scores/other_days")).format(leaf=there)
        return self.work.connection.execute(others, self._days).fetchone() == (False,)

    def create(self, leaf: sql.Identifier) -> None:
        """Into a leaf that is being made."""
        self._stage()
        self._copy_new(leaf)
        self._account()

    def renew(self) -> bool:
        """Into a new leaf in place of the old one, which leaves no dead rows; False if somebody is in the way."""
        leaf = self.leaf
        return renew(self.work.connection, leaf.policy, leaf.span, leaf.timezone, self._copy_new, self._account)

    def replace(self) -> None:
        """Into the leaf that is there, in the caller's transaction."""
        self._stage()
        self._replace(_SCORES, self.scores.select(COLUMNS))
        self._account()

    @property
    def _days(self) -> dict[str, list[int]]:
        return {"days": list(self.leaf.days)}

    def _stage(self) -> None:
        """What is to be replaced, if it is not all that these days have."""
        if self.whole:
            return
        self.work.connection.execute(query("scores/stage"))
        staged = sql.Identifier("incoming_score")
        copy_frame(self.work.connection, staged, self.scores.select("transaction_id", "date_key"))
        self.work.connection.execute("ANALYZE incoming_score")

    def _copy_new(self, leaf: sql.Identifier) -> None:
        copy_frame(self.work.connection, leaf, self.scores.select(COLUMNS), freeze=True)

    def _replace(self, table: sql.Identifier, rows: pl.DataFrame) -> None:
        delete = query("scores/delete_days") if self.whole else query("scores/delete_staged")
        self.work.connection.execute(sql.SQL(delete).format(table=table), self._days)
        copy_frame(self.work.connection, table, rows)

    def _account(self) -> None:
        """All that is written with the scores, in one transaction."""
        if self.shadow is not None:
            self._replace(_SHADOW_SCORES, self.shadow.sort("transaction_id"))
        days = self.leaf.days
        mark_days(self.work.connection, list(days), facts=False)
        entry = WorkEntry(f"fraud_score {days[0]}", "scored", self.scores.height)
        record_work(self.work.connection, self.work.work_id, self.work.run_id, entry)


def forget_shadow_scores(connection: Connection, version: str | None, first: int) -> None:
    """Remove shadow scores of other models than this one, and of days (date keys) before the first."""
    connection.execute(query("scores/forget_shadow"), {"version": version, "first": first})
