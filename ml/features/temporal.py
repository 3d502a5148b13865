"""When a transaction was made, by the client's own clock, and how that fits its own hours."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.clocks import clock_of
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Number, Sums, share
from ml.features.view import USUAL_DAYS, View, names

FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR = 8, 17

# Sines of the minutes of a day are summed as integers of so many parts: no sum depends on what was added before it.
# So many that the error of a single angle stays below 1e-10; windows of up to 2^27 rows fit in 64 bits.
PARTS = 1 << 36
MINUTE = 60_000
_ANGLES = np.arange(24 * 60) * (2 * np.pi / (24 * 60))
COSINES, SINES = (np.rint(of(_ANGLES) * PARTS).astype(np.int64) for of in (np.cos, np.sin))


def temporal(view: View) -> Columns:
    """Local hour, weekday, holiday, business hours, and the deviation from the client's hours."""
    every, is_holiday = _local(view)
    local = view.pick(every)
    day = local // DAY
    hour = (local - day * DAY) / HOUR
    # 1970-01-01 was a Thursday, the day 3 of a week.
    weekday = _by_day(lambda days: (days + 3) % 7, day)
    is_weekend = weekday >= 5
    is_open = (hour >= FIRST_BUSINESS_HOUR) & (hour < LAST_BUSINESS_HOUR + 1)
    return {
        "local_hour": hour,
        "weekday": weekday,
        "is_weekend": is_weekend,
        "is_holiday": is_holiday,
        "is_business_hours": is_open & ~is_weekend & ~is_holiday,
        "days_to_month_end": _by_day(_days_to_month_end, day),
        "hour_deviation": _deviation(view, (every - every // DAY * DAY) // MINUTE),
    }


def _local(view: View) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Milliseconds of the client's clock since 1970, and whether its country is off that day."""
    local, is_holiday = np.empty_like(view.moment), np.zeros(len(view.moment), bool)
    number, countries = names(view.frame, "client_country")
    for one, country in countries.items():
        clock, place = clock_of(country), np.flatnonzero(number == one)
        here = clock.local(view.moment.take(place))
        local[place] = here
        is_holiday[place] = clock.is_off(here // DAY)
    return local, view.pick(is_holiday)


def _by_day(look_up: Callable[[Ints], npt.NDArray[Number]], day: Ints) -> npt.NDArray[Number]:
    """What is true of each row's day since 1970, looked up once for all days from the first to the last."""
    first = day.min()
    found: npt.NDArray[Number] = look_up(np.arange(first, day.max() + 1)).take(day - first)
    return found


def _days_to_month_end(day: Ints) -> Floats:
    days = pl.Series(day).cast(pl.Int32).cast(pl.Date)
    return (days.dt.month_end().dt.day() - days.dt.day()).cast(pl.Float64).to_numpy()


def _deviation(view: View, minute: Ints) -> Floats:
    """1 less the mean cosine of the angles between this hour and those of the client's last 90 days."""
    cosine, sine = COSINES.take(minute), SINES.take(minute)
    client = view.client
    since, until = client.back(USUAL_DAYS * DAY), client.now
    others_cosine, others_sine = (Sums.of(part, until).since(since) / PARTS for part in (cosine, sine))
    alike = view.pick(cosine) * others_cosine + view.pick(sine) * others_sine
    return 1 - share(alike / PARTS, until - since)
