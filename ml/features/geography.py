"""Where a transaction was made, against where the client was and usually is."""

import numpy as np
import polars as pl

from ml.features.channel import HABIT_DAYS, share_of
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Sums
from ml.features.view import USUAL_DAYS, View, entity

EARTH_RADIUS_KM = 6371.0088
LEAST_HOURS = 1 / 60
# Coordinates on the unit sphere are summed as integers of so many parts: 6 mm of the earth.
PARTS = 1 << 30


def geography(view: View) -> Columns:
    """Country, share of the location, and distances to the client's previous place and to the centre of its places."""
    return {
        "is_other_country": view.unknown if view.is_empty("location_country") else _is_other_country(view.told),
        "location_share_30d": _location_share(view),
        **_distances(view),
    }


def _is_other_country(frame: pl.DataFrame) -> Floats:
    other = frame["location_country"] != frame["client_country"]
    return other.cast(pl.Float64).to_numpy()


def _location_share(view: View) -> Floats:
    return view.unknown if view.is_empty("location") else view.where_known("location", share_of(view, "location"))


def _distances(view: View) -> Columns:
    if view.is_empty("latitude") or view.is_empty("longitude"):
        return dict.fromkeys(("km_from_previous", "kmh_from_previous", "km_from_usual"), view.unknown)
    has_place = view.known("latitude") & view.known("longitude")
    every = _places(view)
    every[:, ~has_place] = 0
    previous, hours = _previous(view, has_place)
    has_one, here = view.pick(has_place), every if view.asked is None else every.take(view.asked, axis=1)
    there = every.take(np.maximum(previous, 0), axis=1)
    km = np.where(has_one & (previous >= 0), arc_km(here / PARTS, there / PARTS), np.nan)
    usual = np.where(has_one, arc_km(here / PARTS, _centre(view, every)), np.nan)
    return {
        "km_from_previous": km,
        "kmh_from_previous": km / np.maximum(hours, LEAST_HOURS),
        "km_from_usual": usual,
    }


def on_sphere(degrees_north: Floats, degrees_east: Floats) -> Ints:
    """Rows x, y, z of the unit sphere, in parts."""
    latitude, longitude = np.radians(degrees_north), np.radians(degrees_east)
    point = np.stack([np.cos(longitude), np.sin(longitude), np.sin(latitude)])
    point[:2] *= np.cos(latitude)
    point *= PARTS
    parts: Ints = np.rint(point, out=point).astype(np.int64)
    return parts


def _places(view: View) -> Ints:
    """Rows x, y, z of each transaction: computed once a location, if its transactions agree on where it is."""
    north, east = _degrees(view.frame)
    location = entity(view.frame, "location")
    if location.max(initial=0) > len(location):
        return on_sphere(north, east)
    row_of = np.zeros(location.max(initial=0) + 1, np.int64)
    row_of[location] = np.arange(len(location))
    its_north, its_east = north.take(row_of), east.take(row_of)
    agree = (its_north.take(location) == north).all() and (its_east.take(location) == east).all()
    return on_sphere(its_north, its_east).take(location, axis=1) if agree else on_sphere(north, east)


def _degrees(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    return frame["latitude"].fill_null(0).to_numpy(), frame["longitude"].fill_null(0).to_numpy()


def _previous(view: View, has_place: np.ndarray) -> tuple[Ints, Floats]:
    """Position of the last one with a place before the moment and within 90 days, or -1; and the hours since."""
    client = view.client
    last = np.maximum.accumulate(np.where(has_place, np.arange(len(has_place)), -1))
    found = np.where(client.now > 0, last[np.maximum(client.now - 1, 0)], -1)
    found = np.where(found >= client.back(USUAL_DAYS * DAY), found, -1)
    return found, (client.own - client.key[np.maximum(found, 0)]) / HOUR


def _centre(view: View, at: Ints) -> Floats:
    """Rows x, y, z: direction of the mean of the client's places of [t - 30 d, t); NaN without any."""
    client = view.client
    since = client.back(HABIT_DAYS * DAY)
    mean = np.stack([Sums.of(axis, client.now).since(since) for axis in at]).astype(float)
    length = np.sqrt((mean * mean).sum(axis=0))
    centre: Floats = np.divide(mean, length, out=np.full_like(mean, np.nan), where=length > 0)
    return centre


def arc_km(one: Floats, other: Floats) -> Floats:
    """Great-circle distance of points of the unit sphere, by the chord, which is exact for near points too."""
    chord = np.sqrt(((one - other) ** 2).sum(axis=0))
    arc: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return arc
