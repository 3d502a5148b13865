"""The place of one transaction, by definition."""

import numpy as np

from ml.features.channel import HABIT_DAYS
from ml.features.geography import LEAST_HOURS, PARTS, arc_km
from ml.features.history import Features, Row, Trail, point_of, ratio
from ml.features.timeline import DAY, HOUR, Floats, Ints
from ml.features.view import USUAL_DAYS


def geography(client: Trail, row: Row, moment: int) -> Features:
    pasts = client.window(moment - HABIT_DAYS * DAY, moment)
    here, home = row["location_country"], row["client_country"]
    same = sum(past.row["location"] == row["location"] for past in pasts)
    at = point_of(row)
    placed = [past for past in client.window(moment - USUAL_DAYS * DAY, moment) if past.point is not None]
    point = placed[-1].point if placed else None
    km = _km(at / PARTS, point / PARTS) if at is not None and point is not None else None
    hours = (moment - placed[-1].moment) / HOUR if placed else 0.0
    return {
        "is_other_country": None if here is None or home is None else float(here != home),
        "location_share_30d": None if row["location"] is None else ratio(same, len(pasts)),
        "km_from_previous": km,
        "kmh_from_previous": None if km is None else km / max(hours, LEAST_HOURS),
        "km_from_usual": _km_from_usual(at, [past.point for past in pasts]),
    }


def _km_from_usual(at: Ints | None, points: list[Ints | None]) -> float | None:
    there = [point for point in points if point is not None]
    if at is None or not there:
        return None
    centre: Floats = np.sum(there, axis=0).astype(float)
    length = np.sqrt((centre * centre).sum())
    return _km(at / PARTS, centre / length) if length > 0 else None


def _km(one: Floats, other: Floats) -> float:
    return float(arc_km(np.sqrt(((one - other) ** 2).sum())))
