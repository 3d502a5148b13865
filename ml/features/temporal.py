"""When a transaction was made, by the client's own clock, and how that fits its own hours."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.clocks import UTC, clock_of
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Number, Sums, share
from ml.features.view import USUAL_DAYS, View

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
    weekday = (day + 3) % 7
    is_weekend = weekday >= 5
    is_open = (hour >= FIRST_BUSINESS_HOUR) & (hour < LAST_BUSINESS_HOUR + 1)
    return {
        "local_hour": hour,
        "weekday": weekday,
        "is_weekend": is_weekend,
        "is_holiday": is_holiday,
        "is_business_hours": is_open & ~is_weekend & ~is_holiday,
        "days_to_month_end": _by_day(_days_to_month_end, day),
        "hour_deviation": _deviation(view, every % DAY // MINUTE),
    }


def _local(view: View) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Milliseconds of the client's clock since 1970, and whether its country is off that day."""
    local, is_holiday = view.moment.copy(), np.zeros(len(view.moment), bool)
    countries = view.frame["client_country"]
    for country in countries.unique():
        clock = clock_of(country)
        place = countries.eq_missing(country).arg_true().to_numpy()
        if clock.zone != UTC:
            moments = view.frame["transaction_ts"].gather(place).dt.convert_time_zone(clock.zone)
            local[place] = moments.dt.replace_time_zone(None).dt.epoch("ms").to_numpy()
        if len(clock.days_off):
            is_holiday[place] = _by_day(partial(np.isin, test_elements=clock.days_off), local[place] // DAY)
    return local, view.pick(is_holiday)


def _by_day(look_up: Callable[[Ints], npt.NDArray[Number]], day: Ints) -> npt.NDArray[Number]:
    """What is true of each row's day since 1970, looked up once for all days from the first to the last."""
    first = day.min()
    found: npt.NDArray[Number] = look_up(np.arange(first, day.max() + 1))[day - first]
    return found


def _days_to_month_end(day: Ints) -> Floats:
    days = pl.Series(day).cast(pl.Int32).cast(pl.Date)
    return (days.dt.month_end().dt.day() - days.dt.day()).cast(pl.Float64).to_numpy()


def _deviation(view: View, minute: Ints) -> Floats:
    """1 less the mean cosine of the angles between this hour and those of the client's last 90 days."""
    cosine, sine = COSINES[minute], SINES[minute]
    client = view.client
    since, until = client.back(USUAL_DAYS * DAY), client.now
    others_cosine, others_sine = (Sums.of(part, until).since(since) / PARTS for part in (cosine, sine))
    alike = view.pick(cosine) * others_cosine + view.pick(sine) * others_sine
    return 1 - share(alike / PARTS, until - since)
