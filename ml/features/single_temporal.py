"""The clock of one transaction, by definition."""

from datetime import timedelta
from math import cos, pi

from ml.features.clocks import clock_of
from ml.features.history import Features, Row, Trail, local_of, minute_of
from ml.features.temporal import FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR
from ml.features.timeline import DAY, HOUR
from ml.features.view import USUAL_DAYS


def temporal(client: Trail, row: Row, moment: int) -> Features:
    local = local_of(row)
    off = int(local.timestamp() // 86_400) in clock_of(row["client_country"]).days_off
    weekend, hour = local.weekday() >= 5, local.hour
    month_end = (local.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    minute, before = minute_of(local), client.window(moment - USUAL_DAYS * DAY, moment)
    alike = [cos((minute - past.minute) * 2 * pi / 1440) for past in before]
    milliseconds = local.microsecond // 1000
    return {
        "local_hour": (local.hour * HOUR + local.minute * 60_000 + local.second * 1000 + milliseconds) / HOUR,
        "weekday": float(local.weekday()),
        "is_weekend": float(weekend),
        "is_holiday": float(off),
        "is_business_hours": float(FIRST_BUSINESS_HOUR <= hour <= LAST_BUSINESS_HOUR and not weekend and not off),
        "days_to_month_end": float(month_end.day - local.day),
        "hour_deviation": 1 - sum(alike) / len(alike) if alike else None,
    }
