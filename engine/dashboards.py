"""Dashboards follow the warehouse: what is stale is computed again, then the views that rest on it are refreshed."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from engine.aggregates import recompute_dirty_cells, refresh_views
from engine.dashboard_tables import (
    BY_DAY,
    BY_MONTH,
    CASES,
    OF_SEGMENTS,
    STORED,
    compute_cases,
    compute_days,
    compute_month,
    compute_segmentation,
)
from engine.stale import mark_changed, segmentations
from warehouse.connection import Connection, sql
from warehouse.queries import query

# Percentiles of a month and rows of views are sorted in it, and clients of a month counted.
SORT_MEMORY = "256MB"


@dataclass
class Refreshed:
    """What a refresh computed anew: `days` whole, `scored_days` of which only scores had changed."""

    recomputed_cells: int = 0
    days: int = 0
    scored_days: int = 0
    segmentations: int = 0
    views: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_nothing(self) -> bool:
        return not (self.recomputed_cells or self.days or self.scored_days or self.segmentations or self.views)

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints; `views` are the seconds that each one took."""
        views = {name: round(seconds, 3) for name, seconds in self.views.items()}
        return {**vars(self), "views": views, "seconds": round(self.seconds, 3)}

    def in_words(self) -> str:
        """The line that a person reads."""
        if self.is_nothing:
            return "Dashboards: up to date already."
        parts = [(self.days, "days"), (self.scored_days, "days of scores"), (self.segmentations, "segmentations")]
        told = ", ".join(f"{count:,} {what}" for count, what in parts if count) or "no day"
        return f"Dashboards: {told} computed anew, {len(self.views)} views refreshed; {self.seconds:.1f} s."


def refresh_dashboards(connection: Connection) -> Refreshed:
    """Bring cells, key figures, the tables of dashboards and their views up to date. The caller holds the writer lock.

    A month or a segmentation is a transaction: what was computed before an end stays.
    """
    begun = time.perf_counter()
    done = Refreshed(recomputed_cells=recompute_dirty_cells(connection))
    refresh_views(connection)
    mark_changed(connection)
    _work_off_days(connection, done)
    if done.days or done.scored_days:
        _analyse(connection, (*BY_DAY, CASES, *BY_MONTH))
    _work_off_segmentations(connection, done)
    if done.segmentations:
        _analyse(connection, OF_SEGMENTS)
    _refresh_stale_views(connection, done)
    done.seconds = time.perf_counter() - begun
    return done


def _analyse(connection: Connection, names: Iterable[str]) -> None:
    connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(STORED.identifier, names))))


def _work_off_days(connection: Connection, done: Refreshed) -> None:
    for number, facts, days in connection.execute(query("dashboards/stale_days")).fetchall():
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(SORT_MEMORY))
            _clear_days(connection, (*BY_DAY, CASES) if facts else (CASES,), days)
            if facts:
                compute_days(connection, STORED, days)
                _renew_month(connection, date(number // 100, number % 100, 1))
            compute_cases(connection, STORED, days)
            connection.execute(query("dashboards/settle_days"), {"days": days})
            connection.execute(query("dashboards/advance"), (["days", "cases"] if facts else ["cases"],))
        done.days += len(days) if facts else 0
        done.scored_days += 0 if facts else len(days)


def _clear_days(connection: Connection, tables: tuple[str, ...], days: list[int]) -> None:
    for name in tables:
        delete = sql.SQL(query("dashboards/delete_days")).format(table=STORED.identifier(name))
        connection.execute(delete, {"days": days})


def _renew_month(connection: Connection, month: date) -> None:
    for name in BY_MONTH:
        delete = sql.SQL(query("dashboards/delete_month")).format(table=STORED.identifier(name))
        connection.execute(delete, {"month": month})
    compute_month(connection, STORED, month)


def _work_off_segmentations(connection: Connection, done: Refreshed) -> None:
    known = segmentations(connection)
    before: dict[date, date | None] = dict.fromkeys(known[:1]) | {later: earlier for earlier, later in pairwise(known)}
    stale = {day for (day,) in connection.execute(query("dashboards/stale_segmentations")).fetchall()}
    # Whoever moved on to the next day came from the segment that changed.
    stale |= {later for earlier, later in pairwise(known) if earlier in stale}
    if stale:
        # Written a moment ago, perhaps: as a table of no rows it is joined row by row, which took 35 s in place of 0.1.
        connection.execute("ANALYZE ml.client_segment")
    for as_of in sorted(stale):
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(SORT_MEMORY))
            connection.execute(query("dashboards/delete_segmentation"), (as_of,))
            connection.execute(query("dashboards/delete_moves"), (as_of,))
            if as_of in before:
                compute_segmentation(connection, STORED, as_of, before[as_of])
            connection.execute(query("dashboards/settle_segmentation"), (as_of,))
            connection.execute(query("dashboards/advance"), (["segmentations"],))
        done.segmentations += 1


def _refresh_stale_views(connection: Connection, done: Refreshed) -> None:
    for (name,) in connection.execute(query("dashboards/stale_views")).fetchall():
        begun = time.perf_counter()
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(SORT_MEMORY))
            if name.startswith("mv_"):
                connection.execute(
                    sql.SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY dwh.{}").format(sql.Identifier(name))
                )
            seconds = time.perf_counter() - begun
            connection.execute(query("dashboards/record_refresh"), {"view": name, "seconds": seconds})
        done.views[name] = seconds
