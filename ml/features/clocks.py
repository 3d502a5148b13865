"""The clock and the days off of a country."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from ml.features.timeline import Ints

UTC = "UTC"
YEARS = range(2000, 2041)


@dataclass(frozen=True)
class Clock:
    """`zone`: IANA name. `days_off`: days since 1970."""

    zone: str
    days_off: Ints


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
