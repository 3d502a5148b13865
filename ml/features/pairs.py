"""Transactions of one client to one beneficiary."""

from typing import NamedTuple

import numpy as np

from engine.sorting import sorted_places
from ml.features.compiled import compiled
from ml.features.timeline import REACH, Ints


class Gaps(NamedTuple):
    """By row, milliseconds to the others of the pair; beyond windows without one."""

    since_previous: Ints
    until_next: Ints


class Pairs(NamedTuple):
    """By row: `earlier` transactions of the pair within a window, and milliseconds since the first of these."""

    earlier: Ints
    age: Ints
    gaps: Gaps

    @classmethod
    def of(cls, clients: Ints, others: Ints, moment: Ints, window: int) -> "Pairs":
        """Of rows by client and moment; clients and beneficiaries are numbers from 0. Windows in milliseconds."""
        both = clients * (int(others.max(initial=0)) + 1) + others
        earlier, age, since_previous, until_next = (np.empty_like(moment) for _ in range(4))
        pairs = cls(earlier, age, Gaps(since_previous, until_next))
        # Rows of a client in the order of their moments stay so when they are told apart further.
        _follow(pairs, sorted_places(both), both, moment, window)
        return pairs


@compiled
def _follow(pairs: Pairs, order: Ints, both: Ints, moment: Ints, window: int) -> None:
    gaps = pairs.gaps
    first = now = 0
    for place in range(len(order)):
        row, previous = order[place], order[max(place - 1, 0)]
        gap = moment[row] - moment[previous]
        gaps.until_next[row] = REACH
        if place == 0 or both[row] != both[previous]:
            first = now = place
            gap = REACH
        else:
            gaps.until_next[previous] = gap
            if gap > 0:
                now = place
        gaps.since_previous[row] = gap
        while moment[order[first]] < moment[row] - window:
            first += 1
        pairs.earlier[row] = now - first
        pairs.age[row] = moment[row] - moment[order[first]]
