"""The transactions file of one month: ordinary and fraudulent rows, dirt, and what earlier months left over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample import fraud, rows, transactions, versions
from sample.calendar import DAY_SECONDS, Month, minute_wheels, month_of
from sample.clients import Clients, month_weights
from sample.dice import Array
from sample.dirt import CONFLICT, reasons_in
from sample.plan import SamplePlan, month_starts, random_stream, rows_by_month
from sample.rows import Rows

EARLY_SHARE = 0.0002  # transactions of clients that clients.csv does not know, of UNKNOWN_CLIENTS at most
UNKNOWN_CLIENTS = 1_000
CONFLICT_SHARE = 0.04  # of the dirty rows
CARRIED_REPEATS = 0.2  # of the repeats: they fall in the next month's file
SPARES = 2  # an updated row takes the place of one other row, or of two
NEVER = 60 * DAY_SECONDS


@dataclass(frozen=True)
class Quota:
    """How many rows of each kind a month holds."""

    total: int
    dirty: int = 0
    conflicts: int = 0
    repeats: int = 0
    late_repeats: int = 0  # in the next month's file
    updates: int = 0
    early: int = 0


@dataclass(frozen=True)
class Picks:
    """Positions of ordinary rows to which something happens; no row is in two of the lists, except `repeated`."""

    updated: Array
    dirty: Array
    conflicts: Array
    early: Array
    repeated: Array
    late_repeats: Array
    spare: Array  # left out, one for each row that an update takes


def monthly_rows(plan: SamplePlan, clients: Clients, table_kinds: list[bool]) -> Iterator[tuple[Month, Rows]]:
    """Each month with the rows of its file, in file order. `table_kinds`: which months are written as Parquet."""
    totals = rows_by_month(plan)
    starts = month_starts(plan)
    cases = fraud.schedule(plan, totals)
    tables = transactions.draw_tables(minute_wheels())
    dirty_before, carried = 0, rows.nothing()
    for index, quota in enumerate(_quotas(plan, totals)):
        rng = random_stream(plan, 3, index)
        month = month_of(starts[index], starts[index + 1], plan.start)
        carried = rows.take(carried, np.arange(min(rows.count(carried), quota.total // 4)))
        weights = month_weights(clients, index, rng)
        planted = fraud.draw(month, clients, weights, cases[index], rng)
        room = quota.total - rows.count(planted) - rows.count(carried)
        affordable = quota if _wanted(quota) <= room else Quota(quota.total)
        ordinary = room - affordable.repeats - affordable.conflicts
        per_client = rng.multinomial(ordinary, weights / weights.sum())
        fresh = rows.join([transactions.draw_month(month, clients, per_client, tables, rng), planted])
        picks = _pick(affordable, ordinary, rng)
        _make_early(fresh, picks.early, len(clients), rng)
        _make_dirty(fresh, picks.dirty, dirty_before, table_kinds[index])
        dirty_before += affordable.dirty
        merged, left_over = _merge(fresh, carried, picks, month, rng)
        yield month, rows.take(merged, rows.order_by(merged["at"], month.start)[: quota.total])
        carried = left_over


def _quotas(plan: SamplePlan, totals: list[int]) -> Iterator[Quota]:
    """Shares of the running total, so that small months still add up to the share of the whole."""
    before = 0
    for total in totals:
        after = before + total
        dirty, repeats = plan.dirty_share, plan.duplicate_share
        shares = (
            dirty * (1 - CONFLICT_SHARE),
            dirty * CONFLICT_SHARE,
            repeats * (1 - CARRIED_REPEATS),
            repeats * CARRIED_REPEATS,
            plan.update_share,
            EARLY_SHARE,
        )
        yield Quota(total, *(round(after * share) - round(before * share) for share in shares))
        before = after


def _wanted(quota: Quota) -> int:
    once = quota.dirty + 2 * quota.conflicts + 2 * quota.repeats + quota.late_repeats + quota.early
    return once + (1 + SPARES) * quota.updates


def _pick(quota: Quota, ordinary: int, rng: np.random.Generator) -> Picks:
    wanted = [quota.updates, quota.dirty, quota.conflicts, quota.early, quota.repeats, quota.late_repeats]
    wanted.append(SPARES * quota.updates)
    drawn = rng.choice(ordinary, sum(wanted), replace=False)
    picks = Picks(*np.split(drawn, np.cumsum(wanted)[:-1]))
    both = min(len(picks.updated), len(picks.repeated)) // 5
    picks.repeated[:both] = picks.updated[:both]
    return picks


def _make_early(fresh: Rows, chosen: Array, clients: int, rng: np.random.Generator) -> None:
    fresh["client"][chosen] = clients + rng.integers(0, min(max(clients // 500, 3), UNKNOWN_CLIENTS), len(chosen))


def _make_dirty(fresh: Rows, chosen: Array, dirty_before: int, as_table: bool) -> None:
    """Every reason in turn, so that each comes about equally often."""
    reasons = np.array(reasons_in(as_table), dtype=np.uint8)
    fresh["reason"][chosen] = reasons[(dirty_before + np.arange(len(chosen))) % len(reasons)]
    fresh["fate"][chosen] = rows.REJECTED


def _merge(fresh: Rows, carried: Rows, picks: Picks, month: Month, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """All rows of the month's file, unordered, and the rows that fall in the next month's."""
    plans = versions.plan_updates(fresh, picks.updated, rng)
    in_time = int(np.count_nonzero(plans.moment < month.end))
    fresh["at"][picks.spare[:in_time]] = month.end + NEVER
    _number(fresh, month)
    updates = versions.update_rows(fresh, plans)
    versions.forget_duration(fresh, picks.updated)
    conflicts = versions.conflict_rows(fresh, picks.conflicts, month, rng)
    conflicts["reason"][:] = CONFLICT
    repeats = versions.repeat_rows(fresh, picks.repeated, month, rng)
    late = updates["at"] >= month.end
    left_over = rows.join([rows.take(updates, late), versions.repeat_next_month(fresh, picks.late_repeats, month, rng)])
    return rows.join([fresh, rows.take(updates, ~late), repeats, conflicts, carried]), left_over


def _number(fresh: Rows, month: Month) -> None:
    """Identifiers count up in the order in which the transactions happened."""
    order = rows.order_by(fresh["at"], month.start)
    fresh["id_number"][order] = np.arange(1, len(order) + 1, dtype=np.uint32)
    fresh["id_day"][:] = month.id_day + (fresh["ts"] - month.start) // DAY_SECONDS
