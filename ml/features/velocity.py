"""How fast a client's transactions follow one another."""

import numpy as np

from ml.features.timeline import DAY, HOUR, Columns, Floats, share
from ml.features.view import USUAL_DAYS, View

COLD = 3


def velocity(view: View) -> Columns:
    """Counts of the client over windows, a day against its daily mean, and the time since the previous transaction."""
    client, day, month = view.client, view.paid(1), view.paid(30)
    since = {
        "1h": client.back(HOUR), "24h": client.back(24 * HOUR), "7d": client.back(7 * DAY),
        "30d": client.back(30 * DAY), "90d": client.back(USUAL_DAYS * DAY),
    }  # fmt: skip
    count = {name: client.now - first for name, first in since.items()}
    return {
        **{f"client_count_{name}": values for name, values in count.items()},
        "client_amount_24h_to_30d": share(day.total * 30, month.total),
        "client_count_24h_to_30d": share(day.count * 30, month.count),
        "hours_since_previous": _hours_since(view, count["90d"]),
        "is_cold_start": count["90d"] < COLD,
    }


def _hours_since(view: View, count: np.ndarray) -> Floats:
    client = view.client
    gap = (client.own - client.key[np.maximum(client.now - 1, 0)]) / HOUR
    return np.where(count > 0, gap, np.nan)
