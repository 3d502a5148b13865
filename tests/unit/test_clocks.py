"""What the clock of a country shows, against Python's own zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ml.features.clocks import Clock, local_times

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("UTC", 2024),
        ("Africa/Nairobi", 2024),
        # Back by an hour in Ramadan.
        ("Africa/Casablanca", 2024),
        ("Africa/Cairo", 2014),
        ("Europe/Lisbon", 2024),
        ("Asia/Kathmandu", 2024),
        # By half an hour.
        ("Australia/Lord_Howe", 2024),
        # The 30th of December was left out.
        ("Pacific/Apia", 2011),
    ],
)
def test_every_half_hour_of_a_year_is_what_the_clock_shows(zone: str, year: int) -> None:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(minutes=30 * number, milliseconds=7) for number in range(366 * 48)]
    there = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]
    wanted = np.array([(shown - EPOCH) // MILLISECOND for shown in there])
    given = np.array([int(moment.timestamp() * 1000 + 0.5) for moment in moments])
    # Beside that of another clock.
    clocks = [Clock(name, np.empty(0, np.int64)) for name in ("UTC", zone)]
    both = local_times(np.tile(given, 2), np.repeat([1, 0], len(given)), clocks)
    assert np.array_equal(both, [*wanted, *given])


def test_no_moment_has_no_local_time() -> None:
    nothing = np.empty(0, np.int64)
    assert len(local_times(nothing, nothing, [Clock("Africa/Cairo", nothing)])) == 0


def test_days_off_are_those_of_the_span() -> None:
    clock = Clock("UTC", np.array([3, 5, 9]))
    assert np.flatnonzero(clock.is_off(4, 9)).tolist() == [1]
    assert np.flatnonzero(clock.is_off(0, 10)).tolist() == [3, 5, 9]
