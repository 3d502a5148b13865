"""Months and the days that their leaves cover."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from partitions.grain import PARTITIONED, Month

MONTHS = [Month(year * 100 + month) for year in range(1999, 2041) for month in range(1, 13)]


@pytest.mark.parametrize(
    ("number", "first", "after"),
    [(202401, 20240101, 20240201), (202412, 20241201, 20250101), (200002, 20000201, 20000301)],
)
def test_bounds_of_a_month(number: int, first: int, after: int) -> None:
    month = Month(number)
    assert (month.first_key, month.next_key) == (first, after)


def test_months_follow_each_other_without_gap() -> None:
    assert all(earlier.next_key == later.first_key for earlier, later in pairwise(MONTHS))
    assert sorted(MONTHS, key=lambda month: month.first_day) == MONTHS == sorted(MONTHS)


def test_each_day_lies_within_its_month() -> None:
    for month in MONTHS:
        day = month.first_day
        while day.year * 100 + day.month == month.number:
            assert month.first_key <= day.year * 10_000 + day.month * 100 + day.day < month.next_key
            day += timedelta(days=9)


def test_names() -> None:
    month = Month(202403)
    assert str(month) == "2024-03"
    assert month.first_day == date(2024, 3, 1)
    assert [month.leaf_of(table) for table in PARTITIONED] == [
        "fact_transactions_2024_03",
        "fact_daily_client_summary_2024_03",
    ]


def test_names_fit_into_an_identifier_of_postgresql() -> None:
    assert all(len(f"{MONTHS[0].leaf_of(table)}_bounds") <= 63 for table in PARTITIONED)
