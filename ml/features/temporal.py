"""When a transaction was made, by the client's own clock, and how that fits its own hours."""

import numpy as np
import polars as pl

from ml.features.clocks import clock_of
from ml.features.timeline import DAY, HOUR, Floats, running, share
from ml.features.view import USUAL_DAYS, View

FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR = 8, 17

# Sines of the minutes of a day are summed as integers of so many parts: no sum depends on what was added before it.
PARTS = 1 << 30
_ANGLES = np.arange(24 * 60) * (2 * np.pi / (24 * 60))
COSINES, SINES = (np.rint(of(_ANGLES) * PARTS).astype(np.int64) for of in (np.cos, np.sin))


def temporal(view: View) -> dict[str, Floats]:
    """Local hour, weekday, holiday, business hours, and the deviation from the client's hours."""
    local, is_holiday = _local(view.frame)
    hour = (local % DAY) / HOUR
    # 1970-01-01 was a Thursday, the day 3 of a week.
    weekday = (local // DAY + 3) % 7
    is_weekend = weekday >= 5
    is_open = (np.floor(hour) >= FIRST_BUSINESS_HOUR) & (np.floor(hour) <= LAST_BUSINESS_HOUR)
    days = pl.Series(local // DAY).cast(pl.Int32).cast(pl.Date)
    return {
        "local_hour": hour,
        "weekday": weekday.astype(float),
        "is_weekend": is_weekend.astype(float),
        "is_holiday": is_holiday.astype(float),
        "is_business_hours": (is_open & ~is_weekend & ~is_holiday).astype(float),
        "days_to_month_end": (days.dt.month_end().dt.day() - days.dt.day()).cast(pl.Float64).to_numpy(),
        "hour_deviation": _deviation(view, hour),
    }


def _local(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of the client's clock since 1970, and whether its country is off that day."""
    local = np.empty(frame.height, np.int64)
    is_holiday = np.zeros(frame.height, bool)
    rows = pl.DataFrame({"country": frame["client_country"], "row": np.arange(frame.height)})
    for (country,), part in rows.group_by("country"):
        clock, place = clock_of(country if isinstance(country, str) else None), part["row"].to_numpy()
        moments = frame["transaction_ts"].gather(place).dt.convert_time_zone(clock.zone)
        here = moments.dt.replace_time_zone(None).dt.epoch("ms").to_numpy()
        local[place] = here
        is_holiday[place] = np.isin(here // DAY, clock.days_off)
    return local, is_holiday


def _deviation(view: View, hour: Floats) -> Floats:
    """1 less the mean cosine of the angles between this hour and those of the client's last 90 days."""
    minute = (hour * 60).astype(np.int64)
    cosine, sine = COSINES[minute], SINES[minute]
    client = view.client
    since, until = client.back(USUAL_DAYS * DAY), client.now
    cosines, sines = running(cosine), running(sine)
    alike = cosine * ((cosines[until] - cosines[since]) / PARTS) + sine * ((sines[until] - sines[since]) / PARTS)
    return 1 - share(alike / PARTS, until - since)
