"""When people pay: days of the month, hours of the day, paydays, Ramadan and public holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from sample.dice import Array, Bytes, Floats, Ints, mix, wheels
from sample.places import COUNTRIES, FIRST_PLACE, PLACE_COUNTRY, PLACES

DAY_SECONDS = 86_400
BIN_SECONDS = 600  # the grain of the daily profile
WEEKDAY = (1.0, 1.02, 1.03, 1.05, 1.08, 0.62, 0.24)  # Monday to Sunday
MARKET_DAY_FACTOR = 1.45
HOLIDAYS = {(1, 1): 0.25, (5, 1): 0.35, (12, 25): 0.35, (4, 4): 0.8, (8, 7): 0.8, (12, 12): 0.85}
RAMADAN = (
    (date(2023, 3, 23), date(2023, 4, 20)),
    (date(2024, 3, 11), date(2024, 4, 9)),
    (date(2025, 3, 1), date(2025, 3, 29)),
    (date(2026, 2, 18), date(2026, 3, 19)),
    (date(2027, 2, 8), date(2027, 3, 9)),
)
# Weight of each local hour. Offices close for lunch; machines send their batches early and at night.
PEOPLE = (3, 2, 2, 2, 4, 14, 40, 78, 112, 128, 130, 118, 80, 66, 98, 116, 120, 110, 92, 66, 42, 26, 14, 7)
PEOPLE_RAMADAN = (12, 7, 4, 6, 10, 12, 28, 58, 98, 124, 130, 124, 108, 98, 104, 96, 70, 40, 16, 40, 74, 78, 56, 30)
PEOPLE_WEEKEND = (4, 3, 2, 2, 3, 9, 26, 58, 96, 124, 132, 118, 92, 78, 76, 78, 80, 80, 76, 66, 50, 34, 19, 9)
MACHINES = (34, 40, 22, 16, 18, 40, 86, 124, 116, 104, 98, 92, 70, 72, 92, 96, 90, 78, 56, 44, 38, 36, 34, 32)


@dataclass(frozen=True)
class Month:
    """One month of the period, ready to draw days and moments from."""

    first: date
    start: int  # epoch second of its first moment, business time
    days: int
    id_day: int  # number of its first day, counted from the start of the period
    weekdays: Ints
    day_wheels: Bytes  # wheel (place * 3 + rhythm)
    ramadan_days: Array  # country x day

    @property
    def end(self) -> int:
        return self.start + self.days * DAY_SECONDS


def epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def month_of(first: date, after: date, plan_start: date) -> Month:
    days = [first + timedelta(days=offset) for offset in range((after - first).days)]
    return Month(
        first,
        epoch(first),
        len(days),
        (first - plan_start).days,
        np.array([day.weekday() for day in days]),
        wheels(_day_weights(days)),
        np.array([[country.ramadan and _in_ramadan(day) for day in days] for country in COUNTRIES]),
    )


def minute_wheels() -> Bytes:
    """Wheels of ten-minute bins: people, people in Ramadan, people at the weekend, machines."""
    hours = np.array([PEOPLE, PEOPLE_RAMADAN, PEOPLE_WEEKEND, MACHINES], dtype=np.float64)
    moments = np.arange(24 * 6) / 6 - 5 / 12
    return wheels(np.array([np.interp(moments, np.arange(24), profile, period=24) for profile in hours]))


def profiles(month: Month, country: Array, day: Array, by_machine: Array) -> Array:
    """Which of the `minute_wheels` each row's moment comes from."""
    people = np.where(month.weekdays >= 5, 2, 0)[None, :].repeat(len(COUNTRIES), axis=0)
    people = np.where(month.ramadan_days, 1, people).astype(np.uint8)
    chosen: Array = people.ravel()[country.astype(np.int32) * month.days + day]
    chosen[by_machine] = 3
    return chosen


def paydays(month: Month, clients: int) -> Array:
    """The day (from 0) on which each client pays its salaries: from the 25th on, not at the weekend."""
    habit = (mix(np.arange(clients) * 2 + 1) % np.uint64(8)).astype(np.int64)
    day = np.minimum(24 + np.minimum(habit, 6), month.days - 1)
    workday: Array = day - np.maximum(month.weekdays[day] - 4, 0)
    return workday.astype(np.uint8)


def _in_ramadan(day: date) -> bool:
    return any(first <= day <= last for first, last in RAMADAN)


def _day_weights(days: list[date]) -> Floats:
    weekdays = np.array([day.weekday() for day in days])
    base = np.array([WEEKDAY[day.weekday()] * HOLIDAYS.get((day.month, day.day), 1.0) for day in days])
    number = np.arange(len(days))
    payday = base * np.where(number >= 24, 4.0, 0.35)
    after_pay = base * (1 + 0.25 * ((number >= 26) | (number < 4)))
    deadline = base * (1 + 1.6 * ((number >= 7) & (number < 10)) + 0.9 * ((number >= 12) & (number < 15)))
    weights = []
    for place in range(len(PLACES)):
        market = np.where(weekdays == place % 6, MARKET_DAY_FACTOR, 1.0) if place != _first_of(place) else 1.0
        weights += [after_pay * market, payday, deadline]
    return np.array(weights)


def _first_of(place: int) -> int:
    return int(FIRST_PLACE[PLACE_COUNTRY[place]])
