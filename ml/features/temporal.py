"""When a transaction was made, by the client's own clock, and how that fits its own hours."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from ml.features.clocks import Clock, clock_of, local_times
from ml.features.compiled import compiled, ratio
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Marks
from ml.features.view import USUAL_DAYS, View, named

FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR = 8, 17

# Sines of the minutes of a day are summed as integers of so many parts: no sum depends on what was added before it.
# So many that the error of a single angle stays below 1e-10; windows of up to 2^27 rows fit in 64 bits.
PARTS = 1 << 36
MINUTE = 60_000
_ANGLES = np.arange(24 * 60) * (2 * np.pi / (24 * 60))
COSINES, SINES = (np.rint(of(_ANGLES) * PARTS).astype(np.int64) for of in (np.cos, np.sin))


class Temporal(NamedTuple):
    """The family's columns."""

    local_hour: Floats
    weekday: Floats
    is_weekend: Floats
    is_holiday: Floats
    is_business_hours: Floats
    days_to_month_end: Floats
    hour_deviation: Floats


class Days(NamedTuple):
    """From the first day on, whether each country is off, and the days that are left in the month."""

    first: int
    is_off: Marks
    left: Ints

    @classmethod
    def of(cls, local: Ints, clocks: Sequence[Clock]) -> "Days":
        """Of the days of some moments."""
        first, until = int(local.min()) // DAY, int(local.max()) // DAY + 1
        days = pl.Series(np.arange(first, until)).cast(pl.Int32).cast(pl.Date).dt
        left = (days.month_end().dt.day() - days.day()).cast(pl.Int64).to_numpy()
        return cls(first, np.stack([clock.is_off(first, until) for clock in clocks]), left)


def temporal(view: View) -> Columns:
    """Local hour, weekday, holiday, business hours, and the deviation from the client's hours."""
    out = Temporal._make(view.empty(Temporal._fields))
    country, names = named(view.frame, "client_country")
    clocks = [clock_of(name) for name in names]
    local = local_times(view.moment, country, clocks)
    _tell(out, view.rows, local, country, Days.of(local, clocks))
    _deviate(out.hour_deviation, view.rows, local, view.client.back(USUAL_DAYS * DAY), view.client.now)
    return out._asdict()


@compiled
def _tell(out: Temporal, rows: Ints, local: Ints, country: Ints, days: Days) -> None:
    for place in range(len(rows)):
        row = rows[place]
        day = local[row] // DAY
        hour = (local[row] - day * DAY) / HOUR
        # 1970-01-01 was a Thursday, the day 3 of a week.
        weekday, is_holiday = (day + 3) % 7, days.is_off[country[row], day - days.first]
        is_open = hour >= FIRST_BUSINESS_HOUR and hour < LAST_BUSINESS_HOUR + 1
        out.local_hour[place] = hour
        out.weekday[place] = weekday
        out.is_weekend[place] = weekday >= 5
        out.is_holiday[place] = is_holiday
        out.is_business_hours[place] = is_open and weekday < 5 and not is_holiday
        out.days_to_month_end[place] = days.left[day - days.first]


@compiled
def _deviate(out: Floats, rows: Ints, local: Ints, since: Ints, until: Ints) -> None:
    """1 less the mean cosine of the angles between this hour and those of the client's last 90 days."""
    before = np.zeros((len(local) + 1, 2), np.int64)
    for row in range(len(local)):
        minute = local[row] % DAY // MINUTE
        before[row + 1, 0] = before[row, 0] + COSINES[minute]
        before[row + 1, 1] = before[row, 1] + SINES[minute]
    for place in range(len(rows)):
        first, last, minute = since[place], until[place], local[rows[place]] % DAY // MINUTE
        cosines, sines = before[last, 0] - before[first, 0], before[last, 1] - before[first, 1]
        alike = COSINES[minute] * (cosines / PARTS) + SINES[minute] * (sines / PARTS)
        out[place] = 1 - ratio(alike / PARTS, last - first)
