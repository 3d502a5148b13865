"""The clock and the days off of a country."""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.timeline import DAY, Ints

UTC = "UTC"
YEARS = range(2000, 2041)
# Tables of days begin and end at multiples, so that they are of use again.
TABLE_DAYS = 128
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Clock:
    """`zone`: IANA name. `days_off`: days since 1970."""

    zone: str
    days_off: Ints

    def local(self, moment: Ints) -> Ints:
        """Milliseconds since 1970 that the clock shows, as if it were UTC, at moments.

        Converting a moment takes a hundred nanoseconds: it is done at midnight only, and of days in which the clock
        is put forward or back.
        """
        if self.zone == UTC or not len(moment):
            return moment
        day = moment // DAY
        first = int(day.min()) // TABLE_DAYS * TABLE_DAYS
        ahead, is_put = _days_of(self.zone, first, (int(day.max()) // TABLE_DAYS + 1) * TABLE_DAYS)
        day -= first
        local: Ints = moment + ahead.take(day)
        rows = np.flatnonzero(is_put.take(day)) if is_put.any() else ()
        if len(rows):
            local[rows] = _converted(moment.take(rows), self.zone)
        return local

    def is_off(self, day: Ints) -> Marks:
        """Is a day since 1970 off?"""
        if not len(self.days_off):
            return np.zeros(len(day), bool)
        found: Marks = self._is_off.take(day - self.days_off[0] + 1, mode="clip")
        return found

    @cached_property
    def _is_off(self) -> Marks:
        """From the day before the first one off to the day after the last."""
        found = np.zeros(self.days_off[-1] - self.days_off[0] + 3, bool)
        found[self.days_off - self.days_off[0] + 1] = True
        return found


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
