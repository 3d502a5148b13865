"""What happens to a transaction after its first row: updates, exact repeats, conflicting repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample import rows
from sample.calendar import DAY_SECONDS, Month
from sample.catalogue import FAILED, PENDING, REVERSED, SUCCESS
from sample.dice import Array
from sample.rows import Rows

SETTLES, BOUNCES, IS_REVERSED, SETTLES_THEN_REVERSED = range(4)
_STORY_SHARES = (0.58, 0.09, 0.28, 0.05)
CONFLICT_EXTRA_MINOR = 100


@dataclass(frozen=True)
class Updates:
    """Updates by the position of the row they change."""

    position: Array
    status: Array
    moment: Array


def plan_updates(fresh: Rows, chosen: Array, rng: np.random.Generator) -> Updates:
    """Draw what becomes of the chosen rows; the rows themselves get the status their story starts with."""
    story = rng.choice(len(_STORY_SHARES), len(chosen), p=_STORY_SHARES)
    pending = story != IS_REVERSED
    fresh["status"][chosen] = np.where(pending, PENDING, SUCCESS)
    known = fresh["updated"][chosen]
    soon = known + 60 + np.minimum(rng.exponential(8 * 3600, len(chosen)), 5 * DAY_SECONDS).astype(np.int64)
    later = known + 3600 + np.minimum(rng.lognormal(11.6, 0.8, len(chosen)), 12 * DAY_SECONDS).astype(np.int64)
    first = np.where(pending, soon, later)
    outcome = np.select([story == BOUNCES, story == IS_REVERSED], [FAILED, REVERSED], SUCCESS)
    twice = np.flatnonzero(story == SETTLES_THEN_REVERSED)
    return Updates(
        np.concatenate([chosen, chosen[twice]]),
        np.concatenate([outcome, np.full(len(twice), REVERSED)]),
        np.concatenate([first, first[twice] + 3600 + (later - known)[twice]]),
    )


def update_rows(fresh: Rows, updates: Updates) -> Rows:
    changed = rows.take(fresh, updates.position)
    moved = {"status": updates.status.astype(np.uint8), "updated": updates.moment, "at": updates.moment}
    fate = np.full(len(updates.position), rows.UPDATED, dtype=np.uint8)
    return changed | moved | {"fate": fate}


def forget_duration(fresh: Rows, chosen: Array) -> None:
    """A pending transaction has no processing time yet."""
    pending = chosen[fresh["status"][chosen] == PENDING]
    fresh["ms"][pending] = rows.UNKNOWN_MS


def status_before(status: Array) -> Array:
    """The status that an update to `status` replaces."""
    return np.where(status == REVERSED, SUCCESS, PENDING)


def repeat_rows(fresh: Rows, chosen: Array, month: Month, rng: np.random.Generator) -> Rows:
    """Exact repeats, some time later in the same file."""
    again = rows.take(fresh, chosen)
    later = again["at"] + rng.exponential(DAY_SECONDS, len(chosen)).astype(np.int64)
    at = np.minimum(later, np.maximum(month.end - 1, again["at"]))
    return again | {"at": at, "fate": np.full(len(chosen), rows.REPEATED, dtype=np.uint8)}


def repeat_next_month(fresh: Rows, chosen: Array, month: Month, rng: np.random.Generator) -> Rows:
    at = month.end + rng.integers(0, 3 * DAY_SECONDS, len(chosen))
    return rows.take(fresh, chosen) | {"at": at, "fate": np.full(len(chosen), rows.REPEATED, dtype=np.uint8)}


def conflict_rows(fresh: Rows, chosen: Array, month: Month, rng: np.random.Generator) -> Rows:
    """The same transaction and version with another amount, after the original in the same file."""
    again = rows.take(fresh, chosen)
    at = np.minimum(again["at"] + rng.integers(0, 3600, len(chosen)), np.maximum(month.end - 1, again["at"]))
    other = {"amount": again["amount"] + CONFLICT_EXTRA_MINOR, "at": at}
    return again | other | {"fate": np.full(len(chosen), rows.REJECTED, dtype=np.uint8)}
