"""Whether a client does as it usually does: its channel and its service."""

import numpy as np

from ml.features.timeline import DAY, Floats, Ints, Timeline, running, share
from ml.features.view import View, combined, entity

HABIT_DAYS = 30


def channel(view: View) -> dict[str, Floats]:
    """Share of the channel and of the service among the client's transactions, and whether the channel changed."""
    client, channels = view.client, entity(view.frame, "channel")
    return {
        "channel_share_30d": share_of(view, "channel"),
        "service_share_30d": share_of(view, "service"),
        "is_channel_changed": client.rows(_changed(client, client.along(channels))),
    }


def share_of(view: View, column: str) -> Floats:
    """Share of the client's transactions of [t - 30 d, t) that have this row's value."""
    clients, values = entity(view.frame, "client"), entity(view.frame, column)
    same = view.line_of(combined(clients, values))
    client = view.client
    whole = client.rows(client.now - client.back(HABIT_DAYS * DAY))
    return share(same.rows(same.now - same.back(HABIT_DAYS * DAY)), whole)


def _changed(client: Timeline, channels: Ints) -> Floats:
    """By position: is it another channel than the most frequent one of [t - 30 d, t), of equals the lowest?"""
    since, until = client.back(HABIT_DAYS * DAY), client.now
    most, usual = np.zeros(len(channels), np.int64), np.zeros(len(channels), np.int64)
    for one in np.unique(channels):
        seen = running(channels == one)
        count = seen[until] - seen[since]
        wins = count > most
        most[wins], usual[wins] = count[wins], one
    return np.where(most > 0, channels != usual, np.nan)
