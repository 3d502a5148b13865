"""Spans of days: what each grain cuts out of time, and the names that its leaves get."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partitions.grain import Grain, Span, date_key, day_of, span_named

DAYS = st.dates(date(1999, 1, 1), date(2100, 12, 31))
GRAINS = st.sampled_from(Grain)
LEAP_DAY = date(2024, 2, 29)


@pytest.mark.parametrize(
    ("grain", "first", "end", "suffix", "shown"),
    [
        (Grain.DAY, "2024-02-29", "2024-03-01", "2024_02_29", "2024-02-29"),
        (Grain.WEEK, "2024-02-26", "2024-03-04", "2024_w09", "2024-w09"),
        (Grain.MONTH, "2024-02-01", "2024-03-01", "2024_02", "2024-02"),
        (Grain.QUARTER, "2024-01-01", "2024-04-01", "2024_q1", "2024-q1"),
        (Grain.YEAR, "2024-01-01", "2025-01-01", "2024", "2024"),
    ],
)
def test_the_leaf_of_a_leap_day(grain: Grain, first: str, end: str, suffix: str, shown: str) -> None:
    span = grain.span_of(LEAP_DAY)
    assert span == Span(date.fromisoformat(first), date.fromisoformat(end))
    assert (span.suffix, str(span), span.grain) == (suffix, shown, grain)
    assert span.leaf_of("dwh.fact_transactions") == f"fact_transactions_{suffix}"


@given(GRAINS, DAYS)
def test_units_follow_each_other_without_gap_or_overlap(grain: Grain, day: date) -> None:
    spans = list(grain.spans(day, day + timedelta(days=800)))
    assert spans[0].first <= day < spans[0].end
    assert all(earlier.end == later.first for earlier, later in pairwise(spans))
    assert spans[-1].first < day + timedelta(days=800) <= spans[-1].end


@given(GRAINS, DAYS, st.integers(0, 30))
def test_back_and_ahead_are_whole_units(grain: Grain, day: date, units: int) -> None:
    assert len(list(grain.spans(grain.back(day, units), grain.span_of(day).end))) == units + 1
    assert len(list(grain.spans(grain.span_of(day).first, grain.ahead(day, units)))) == units + 1


@given(DAYS, st.integers(1, 800))
def test_a_name_says_its_span_and_no_other(day: date, days: int) -> None:
    span = Span(day, day + timedelta(days=days))
    assert span_named(span.leaf_of("dwh.some_table"), "dwh.some_table") == span


@pytest.mark.parametrize(
    "name",
    ["t", "t_", "t_2024_13", "t_2024_02_30", "t_2024_w54", "t_2024_q5", "t_x_2024", "t_20240101_20240201", "u_2024"],
)
def test_other_names_say_nothing(name: str) -> None:
    # The last but one is a month: it has a shorter name, and only that is its own.
    assert span_named(name, "t") is None


def test_a_span_cannot_be_empty() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        Span(LEAP_DAY, LEAP_DAY)


def test_spans_overlap_and_cover() -> None:
    month, week = Grain.MONTH.span_of(LEAP_DAY), Grain.WEEK.span_of(LEAP_DAY)
    assert month.overlaps(week)
    assert not month.covers(week)
    assert Grain.QUARTER.span_of(LEAP_DAY).covers(month)
    assert not month.overlaps(Span(month.end, date(2025, 1, 1)))


@given(DAYS)
def test_date_keys(day: date) -> None:
    assert day_of(date_key(day)) == day
    assert str(date_key(day)) == day.strftime("%Y%m%d")


def test_names_fit_into_an_identifier_of_postgresql() -> None:
    longest = Span(LEAP_DAY, date(2024, 3, 2))
    assert all(len(f"{longest.leaf_of(table)}_bounds") <= 63 for table in ("fact_daily_client_summary", "a" * 38))
