"""Rows by entity and moment, where each window is a range of positions: linear, however many rows one entity has."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.sorting import changes
from ml.features.compiled import compiled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
# By the name of a feature, numbers of any type; NaN is unknown.
Columns = dict[str, npt.NDArray[Any]]

HOUR = 3_600_000
DAY = 24 * HOUR

# Windows reach back no further than this: one entity's windows must not reach into another's rows.
REACH = 400 * DAY


@dataclass(frozen=True)
class Timeline:
    """The rows of a frame by entity, then by moment; rows of one moment are peers, and no window of theirs has them.

    `key`: grows with entity and moment, one a millisecond. `opens`: is it the first position of its entity? The others
    are of the positions whose windows are `asked` for, None for all. `own`: their keys; `now`: first position of the
    same entity and moment, so that `[x, now)` is strictly before.
    """

    key: Ints
    opens: Marks
    asked: Ints | None
    own: Ints
    now: Ints
    origin: int
    span: int
    _back: dict[int, Ints] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, entity: Ints, moment: Ints) -> "Timeline":
        """Of rows by entity, a number from 0, and moment in milliseconds."""
        opens = changes(entity)
        first, last = (int(moment.min()), int(moment.max())) if len(moment) else (0, 0)
        origin, span = first - REACH, last - first + 2 * REACH
        key = running(opens)[1:]
        key -= 1
        key *= span
        key += moment
        key -= origin
        return cls(key, opens, None, key, _first(changes(key)), origin, span)

    def at(self, positions: Ints | None) -> "Timeline":
        """The same, asked for the windows of some positions, which grow; None is all."""
        if positions is None:
            return self
        own, now = self.own.take(positions), self.now.take(positions)
        return Timeline(self.key, self.opens, positions, own, now, self.origin, self.span)

    @cached_property
    def start(self) -> Ints:
        """For each position that is asked for, the first of its entity."""
        start = _first(self.opens)
        return start if self.asked is None else start.take(self.asked)

    def back(self, milliseconds: int) -> Ints:
        """For each position that is asked for, the first of its entity at or after its moment less so much."""
        if milliseconds not in self._back:
            self._back[milliseconds] = before(self.key, self.own, milliseconds)
        return self._back[milliseconds]

    def keys_of(self, positions: Ints, moment: Ints) -> Ints:
        """Keys of other moments of the entities at some positions, bounded to what a key can tell apart."""
        inside = np.clip(moment - self.origin, 0, self.span - 1)
        return self.key[positions] // self.span * self.span + inside


@compiled
def _first(begins: Marks) -> Ints:
    """For each position, the last one up to it where something begins; it does at the first."""
    first, last = np.empty(len(begins), np.int64), 0
    for position in range(len(begins)):
        if begins[position]:
            last = position
        first[position] = last
    return first


@compiled
def before(keys: Ints, own: Ints, milliseconds: int) -> Ints:
    """For each of some keys, how many of others are more milliseconds before it; both are in order."""
    found, passed = np.empty(len(own), np.int64), 0
    for place in range(len(own)):
        since = own[place] - milliseconds
        while passed < len(keys) and keys[passed] < since:
            passed += 1
        found[place] = passed
    return found


def running(values: npt.NDArray[np.generic]) -> Ints:
    """Sums of integers before each position, exact, with the whole at the end."""
    out = np.empty(len(values) + 1, np.int64)
    out[0] = 0
    # Of another type, or in their own place, NumPy would sum them with Python's lock in its hand.
    np.cumsum(values.astype(np.int64, copy=False), out=out[1:])
    return out
