"""Whether a client does as it usually does: its channel and its service."""

import numpy as np

from ml.features.timeline import DAY, Columns, Floats, Ints, Sums, share
from ml.features.view import View, distinct, entity

HABIT_DAYS = 30
# Counting each value by itself is faster up to about so many: of 65,536 rows, 4 values take 5.5 ms against 6.3, 8 take
# 5.9 against 5.2, 32 take 18 against 6.5.
FEW = 6


def channel(view: View) -> Columns:
    """Share of the channel and of the service among the client's transactions, and whether the channel changed."""
    channels = entity(view.frame, "channel")
    own, most, usual = _counts(view, channels, distinct(channels))
    return {
        "channel_share_30d": share(own, _all(view)),
        "service_share_30d": share_of(view, "service"),
        "is_channel_changed": np.where(most > 0, view.pick(channels) != usual, np.nan),
    }


def share_of(view: View, column: str) -> Floats:
    """Share of the client's transactions of [t - 30 d, t) that have this row's value."""
    values = entity(view.frame, column)
    there = distinct(values)
    if len(there) <= FEW:
        return share(_counts(view, values, there)[0], _all(view))
    same = view.line_of(column)
    return share(view.pick(same.by_row(same.now - same.back(HABIT_DAYS * DAY))), _all(view))


def _all(view: View) -> Ints:
    return view.client.now - view.client.back(HABIT_DAYS * DAY)


def _counts(view: View, values: Ints, there: list[int]) -> tuple[Ints, Ints, Ints]:
    """In [t - 30 d, t): transactions with this row's value, with the usual one, and that: of equals the lowest."""
    since, until = view.client.back(HABIT_DAYS * DAY), view.client.now
    own, most, usual = (np.zeros(len(until), np.int64) for _ in range(3))
    for one in there:
        here = values == one
        count = Sums.of(here, until).since(since)
        np.copyto(own, count, where=view.pick(here))
        np.copyto(usual, one, where=count > most)
        np.maximum(most, count, out=most)
    return own, most, usual
