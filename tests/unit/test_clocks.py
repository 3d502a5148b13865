"""What the clock of a country shows, against Python's own zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ml.features.clocks import Clock

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
    assert np.array_equal(Clock(zone, np.empty(0, np.int64)).local(given), wanted)


def test_no_moment_has_no_local_time() -> None:
    assert len(Clock("Africa/Cairo", np.empty(0, np.int64)).local(np.empty(0, np.int64))) == 0
