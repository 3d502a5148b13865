"""The clock and the days off of a country."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import polars as pl

from ml.features.compiled import compiled
from ml.features.timeline import DAY, Ints, Marks

UTC = "UTC"
YEARS = range(2000, 2041)
# Tables of days begin and end at multiples, so that they are of use again.
TABLE_DAYS = 128


@dataclass(frozen=True)
class Clock:
    """`zone`: IANA name. `days_off`: days since 1970."""

    zone: str
    days_off: Ints

    def is_off(self, first: int, until: int) -> Marks:
        """Of the days [first, until) since 1970."""
        found = np.zeros(until - first, bool)
        found[self.days_off[(self.days_off >= first) & (self.days_off < until)] - first] = True
        return found


def local_times(moment: Ints, clock: Ints, clocks: Sequence[Clock]) -> Ints:
    """Milliseconds since 1970 that clocks show, as if it were UTC, at moments. `clock`: of each, among these.

    Converting a moment takes a hundred nanoseconds: it is done at midnight only, and of days in which the clock
    is put forward or back.
    """
    if not len(moment):
        return moment
    first, until = (int(moment.min()) // DAY // TABLE_DAYS, int(moment.max()) // DAY // TABLE_DAYS + 1)
    tables = [_days_of(one.zone, first * TABLE_DAYS, until * TABLE_DAYS) for one in clocks]
    ahead, is_put = (np.stack(table) for table in zip(*tables, strict=True))
    local, is_open = _shown(moment, clock, first * TABLE_DAYS, ahead, is_put)
    rows = np.flatnonzero(is_open)
    for number, one in enumerate(clocks):
        its = rows[clock[rows] == number]
        if len(its):
            local[its] = _converted(moment[its], one.zone)
    return local


@compiled
def _shown(moment: Ints, clock: Ints, first: int, ahead: Ints, is_put: Marks) -> tuple[Ints, Marks]:
    """What clocks show by their tables of days, and where a table does not know."""
    local, is_open = np.empty_like(moment), np.empty(len(moment), np.bool_)
    for row in range(len(moment)):
        day = moment[row] // DAY - first
        local[row] = moment[row] + ahead[clock[row], day]
        is_open[row] = is_put[clock[row], day]
    return local, is_open


@lru_cache(maxsize=256)
def _days_of(zone: str, first: int, until: int) -> tuple[Ints, Marks]:
    """Of days since 1970: by how much the clock is ahead of UTC at their beginning, and whether it is put in them."""
    midnights = np.arange(first, until + 1) * DAY
    ahead = _converted(midnights, zone) - midnights
    return ahead, ahead[1:] != ahead[:-1]


def _converted(moment: Ints, zone: str) -> Ints:
    there = pl.Series(moment).cast(pl.Datetime("ms", UTC)).dt.convert_time_zone(zone)
    return there.dt.replace_time_zone(None).to_physical().to_numpy()


@cache
def clock_of(country: str | None) -> Clock:
    """Of an ISO 3166 code; of an unknown country, UTC without holidays.

    A country of several zones has the one that the zone table names first, that of its capital or largest city.
    """
    return Clock(_zones().get(country or "", UTC), _days_off(country) if country else np.empty(0, np.int64))


@cache
def _zones() -> dict[str, str]:
    zones: dict[str, str] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones.setdefault(country, zone)
    return zones


def _days_off(country: str) -> Ints:
    import holidays  # noqa: PLC0415

    try:
        days = holidays.country_holidays(country, years=YEARS)
    except NotImplementedError:
        return np.empty(0, np.int64)
    return np.array(sorted(days), dtype="datetime64[D]").astype(np.int64)
