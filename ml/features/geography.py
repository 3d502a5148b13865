"""Where a transaction was made, against where the client was and usually is."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import polars as pl

from ml.features.channel import HABIT_DAYS, tell_share
from ml.features.compiled import compiled
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Marks
from ml.features.view import USUAL_DAYS, View, numbered, row_of

EARTH_RADIUS_KM = 6371.0088
LEAST_HOURS = 1 / 60
# Coordinates on the unit sphere are summed as integers of so many parts: 6 mm of the earth.
PARTS = 1 << 30


class Geography(NamedTuple):
    """The family's columns."""

    is_other_country: Floats
    location_share_30d: Floats
    km_from_previous: Floats
    kmh_from_previous: Floats
    km_from_usual: Floats


class Windows(NamedTuple):
    """First positions of the client's last days, keys of all positions and of those asked for.

    `points`: rows x, y, z in parts; `point`: of each position, its row; `is_placed`: is it known?
    """

    month: Ints
    usual: Ints
    until: Ints
    key: Ints
    own: Ints
    points: Ints
    point: Ints
    is_placed: Marks


class Found(NamedTuple):
    """By row asked for: chords to the client's previous place and to the centre of its places, of radius 1; hours."""

    to_previous: Floats
    to_centre: Floats
    hours: Floats


def geography(view: View) -> Columns:
    """Country, share of the location, and distances to the client's previous place and to the centre of its places."""
    out = Geography._make(view.empty(Geography._fields))
    for column in out:
        column.fill(np.nan)
    if not view.is_empty("location_country"):
        out.is_other_country[:] = _is_other_country(view.told)
    if not view.is_empty("location"):
        tell_share(view, "location", out.location_share_30d)
        out.location_share_30d[~view.known("location")[view.rows]] = np.nan
    if not view.is_empty("latitude") and not view.is_empty("longitude"):
        _tell_distances(out, view)
    return out._asdict()


def _is_other_country(frame: pl.DataFrame) -> Floats:
    other = frame["location_country"] != frame["client_country"]
    return other.cast(pl.Float64).to_numpy()


def _tell_distances(out: Geography, view: View) -> None:
    client, is_placed = view.client, view.known("latitude") & view.known("longitude")
    since = (client.back(days * DAY) for days in (HABIT_DAYS, USUAL_DAYS))
    past = Windows._make([*since, client.now, client.key, client.own, *_points(view), is_placed])
    found = Found._make(np.empty((len(Found._fields), len(view.rows))))
    _look_back(found, view.rows, past)
    km = arc_km(found.to_previous)
    out.km_from_previous[:] = km
    out.kmh_from_previous[:] = km / found.hours
    out.km_from_usual[:] = arc_km(found.to_centre)


@compiled
def _look_back(out: Found, rows: Ints, past: Windows) -> None:
    before = _sums(past)
    last, previous = 0, -1
    for place in range(len(rows)):
        row, since, until = rows[place], past.month[place], past.until[place]
        while last < until:
            previous = last if past.is_placed[last] else previous
            last += 1
        out.to_previous[place] = out.to_centre[place] = out.hours[place] = np.nan
        if not past.is_placed[row]:
            continue
        here = past.points[past.point[row]]
        if previous >= past.usual[place]:
            there = past.points[past.point[previous]]
            out.to_previous[place] = _chord(here, there[0] / PARTS, there[1] / PARTS, there[2] / PARTS)
            out.hours[place] = max((past.own[place] - past.key[previous]) / HOUR, LEAST_HOURS)
        # Of the mean place, the direction.
        x, y, z = (
            before[until, 0] - before[since, 0],
            before[until, 1] - before[since, 1],
            before[until, 2] - before[since, 2],
        )
        length = np.sqrt(float(x) * x + float(y) * y + float(z) * z)
        if length > 0:
            out.to_centre[place] = _chord(here, x / length, y / length, z / length)


@compiled
def _sums(past: Windows) -> Ints:
    """Of places before each position."""
    before = np.zeros((len(past.point) + 1, 3), np.int64)
    for row in range(len(past.point)):
        is_placed, here = past.is_placed[row], past.points[past.point[row]]
        for axis in range(3):
            before[row + 1, axis] = before[row, axis] + is_placed * here[axis]
    return before


@compiled
def _chord(here: Ints, x: float, y: float, z: float) -> float:
    """Between a point in parts and one in radii."""
    return sqrt((here[0] / PARTS - x) ** 2 + (here[1] / PARTS - y) ** 2 + (here[2] / PARTS - z) ** 2)


def on_sphere(degrees_north: Floats, degrees_east: Floats) -> Ints:
    """A row x, y, z of the unit sphere, in parts, for each point."""
    latitude, longitude = np.radians(degrees_north), np.radians(degrees_east)
    around = np.cos(latitude)
    point = np.column_stack([np.cos(longitude) * around, np.sin(longitude) * around, np.sin(latitude)])
    point *= PARTS
    parts: Ints = np.rint(point, out=point).astype(np.int64)
    return parts


def _points(view: View) -> tuple[Ints, Ints]:
    """Rows x, y, z, and which of them each transaction has: one a location, if these agree on where it is."""
    north, east = (view.frame[name].fill_null(0).to_numpy() for name in ("latitude", "longitude"))
    location, number = numbered(view.frame, "location")
    rows = row_of(location, number)
    if _agree(north, location, rows) and _agree(east, location, rows):
        return on_sphere(north.take(rows), east.take(rows)), location
    return on_sphere(north, east), np.arange(len(north))


@compiled
def _agree(degrees: Floats, location: Ints, rows: Ints) -> bool:
    """Has each row the degrees of one of its location?"""
    differ = 0
    for row in range(len(degrees)):
        differ += degrees[row] != degrees[rows[location[row]]]
    return differ == 0


def arc_km(chord: Floats) -> Floats:
    """Great-circle distance of points of the unit sphere, by their chord, which is exact for near points too."""
    arc: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return arc
