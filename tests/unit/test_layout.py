"""Which leaf a day belongs to, whatever leaves there are already."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from partitions.grain import Grain, Span
from partitions.layout import Layout

FEBRUARY = Grain.MONTH.span_of(date(2024, 2, 1))
WEEK = Grain.WEEK.span_of(date(2024, 2, 14))  # 12 to 18 February


def test_without_leaves_a_day_belongs_to_its_unit() -> None:
    assert Layout(Grain.MONTH).span_of(date(2024, 2, 29)) == FEBRUARY


def test_a_leaf_that_is_there_keeps_its_days_whatever_the_grain_is() -> None:
    assert Layout(Grain.DAY, [FEBRUARY]).span_of(date(2024, 2, 29)) == FEBRUARY


def test_a_new_leaf_is_cut_where_others_begin_and_end() -> None:
    layout = Layout(Grain.MONTH, [WEEK])
    assert layout.span_of(date(2024, 2, 3)) == Span(date(2024, 2, 1), WEEK.first)
    assert layout.span_of(date(2024, 2, 14)) == WEEK
    assert layout.span_of(date(2024, 2, 19)) == Span(WEEK.end, date(2024, 3, 1))


def test_a_new_leaf_lies_within_one_of_the_table_beside_or_outside_all() -> None:
    layout = Layout(Grain.MONTH, beside=[WEEK])
    assert layout.span_of(date(2024, 2, 3)) == Span(date(2024, 2, 1), WEEK.first)
    assert layout.span_of(date(2024, 2, 14)) == WEEK
    assert Layout(Grain.DAY, beside=[FEBRUARY]).span_of(date(2024, 2, 14)) == Grain.DAY.span_of(date(2024, 2, 14))


DAYS = st.dates(date(2023, 1, 1), date(2024, 12, 31))


@st.composite
def leaves(draw: st.DrawFn) -> list[Span]:
    """Leaves that do not overlap: pieces between some cuts."""
    cuts = sorted(draw(st.sets(DAYS, max_size=12)))
    return [Span(first, end) for first, end in pairwise(cuts) if draw(st.booleans())]


@given(st.sampled_from(Grain), leaves(), leaves(), DAYS, st.integers(-400, 400))
def test_leaves_of_any_two_days_are_the_same_or_apart(
    grain: Grain, own: list[Span], beside: list[Span], day: date, distance: int
) -> None:
    layout = Layout(grain, own, beside)
    one, other = layout.span_of(day), layout.span_of(day + timedelta(days=distance))
    assert one.first <= day < one.end
    assert one == other or not one.overlaps(other)
    assert all(span == one or not span.overlaps(one) for span in own)
    if one not in own:
        assert grain.span_of(day).covers(one)
        assert all(span.covers(one) or not span.overlaps(one) for span in beside)
