"""Whether a client does as it usually does: its channel and its service."""

from typing import NamedTuple

import numpy as np

from ml.features.compiled import compiled, ratio
from ml.features.timeline import DAY, Columns, Floats, Ints
from ml.features.view import View, numbered

HABIT_DAYS = 30


class Habits(NamedTuple):
    """The family's columns."""

    channel_share_30d: Floats
    service_share_30d: Floats
    is_channel_changed: Floats


def channel(view: View) -> Columns:
    """Share of the channel and of the service among the client's transactions, and whether the channel changed."""
    out, since = Habits._make(view.empty(Habits._fields)), view.client.back(HABIT_DAYS * DAY)
    channels, number = numbered(view.frame, "channel")
    _change(out, view.rows, channels, np.zeros(number, np.int64), since, view.client.now)
    tell_share(view, "service", out.service_share_30d)
    return out._asdict()


def tell_share(view: View, column: str, out: Floats) -> None:
    """Share of the client's transactions of [t - 30 d, t) that have this row's value."""
    values, number = numbered(view.frame, column)
    since = view.client.back(HABIT_DAYS * DAY)
    _share(out, view.rows, values, np.zeros(number, np.int64), since, view.client.now)


@compiled
def _share(out: Floats, rows: Ints, values: Ints, counts: Ints, since: Ints, until: Ints) -> None:
    first = last = 0
    for place in range(len(rows)):
        _move(counts, values, (first, since[place]), (last, until[place]))
        first, last = since[place], until[place]
        out[place] = ratio(counts[values[rows[place]]], last - first)


@compiled
def _change(out: Habits, rows: Ints, values: Ints, counts: Ints, since: Ints, until: Ints) -> None:
    """As `_share`, and whether the value is another than the most frequent one: of equals the lowest."""
    first = last = 0
    for place in range(len(rows)):
        _move(counts, values, (first, since[place]), (last, until[place]))
        first, last = since[place], until[place]
        own, usual = values[rows[place]], 0
        for value in range(len(counts)):
            if counts[value] > counts[usual]:
                usual = value
        out.channel_share_30d[place] = ratio(counts[own], last - first)
        out.is_channel_changed[place] = own != usual if last > first else np.nan


@compiled
def _move(counts: Ints, values: Ints, firsts: tuple[int, int], lasts: tuple[int, int]) -> None:
    """Counts of the positions of a window become those of the next, whose ends only move on."""
    for position in range(lasts[0], lasts[1]):
        counts[values[position]] += 1
    for position in range(firsts[0], firsts[1]):
        counts[values[position]] -= 1
