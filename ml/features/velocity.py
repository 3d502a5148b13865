"""How fast a client's transactions follow one another."""

from typing import NamedTuple

import numpy as np

from ml.features.compiled import compiled, ratio
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints
from ml.features.view import USUAL_DAYS, View

COLD = 3


class Velocity(NamedTuple):
    """The family's columns."""

    client_count_1h: Floats
    client_count_24h: Floats
    client_count_7d: Floats
    client_count_30d: Floats
    client_count_90d: Floats
    client_amount_24h_to_30d: Floats
    client_count_24h_to_30d: Floats
    hours_since_previous: Floats
    is_cold_start: Floats


class Windows(NamedTuple):
    """First positions of the client's last days, keys of all positions and of those asked for, sums before each."""

    hour: Ints
    day: Ints
    week: Ints
    month: Ints
    usual: Ints
    until: Ints
    key: Ints
    own: Ints
    amounts: Ints


def velocity(view: View) -> Columns:
    """Counts of the client over windows, a day against its daily mean, and the time since the previous transaction."""
    client = view.client
    since = (client.back(window) for window in (HOUR, DAY, 7 * DAY, 30 * DAY, USUAL_DAYS * DAY))
    out = Velocity._make(view.empty(Velocity._fields))
    _tell(out, Windows._make([*since, client.now, client.key, client.own, view.amounts]))
    return out._asdict()


@compiled
def _tell(out: Velocity, past: Windows) -> None:
    for place in range(len(past.until)):
        until, day, month = past.until[place], past.day[place], past.month[place]
        total = past.amounts[until, 0]
        count = until - past.usual[place]
        out.client_count_1h[place] = until - past.hour[place]
        out.client_count_24h[place] = until - day
        out.client_count_7d[place] = until - past.week[place]
        out.client_count_30d[place] = until - month
        out.client_count_90d[place] = count
        out.client_amount_24h_to_30d[place] = ratio((total - past.amounts[day, 0]) * 30, total - past.amounts[month, 0])
        out.client_count_24h_to_30d[place] = ratio((until - day) * 30, until - month)
        out.hours_since_previous[place] = (past.own[place] - past.key[until - 1]) / HOUR if count > 0 else np.nan
        out.is_cold_start[place] = count < COLD
