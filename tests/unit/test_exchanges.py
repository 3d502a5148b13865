"""Which leaves and spans change places together, and which spans a grain gives."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partitions.catalog import Leaf
from partitions.exchanges import MOST_LEAVES, exchanges, portions, spans_of_grain
from partitions.grain import Grain, Span
from partitions.keys import sorted_out
from partitions.policy import Policy
from warehouse.errors import ConfigurationError

FIRST = date(2024, 1, 1)


def leaf(span: Span) -> Leaf:
    return Leaf("dwh.t", "dwh_parts", span.leaf_of("t"), span)


@st.composite
def cuts(draw: st.DrawFn, *, gaps: bool = True) -> list[Span]:
    """Spans one after the other, with or without gaps."""
    day, spans = FIRST, []
    for length in draw(st.lists(st.integers(1, 40), min_size=1, max_size=12)):
        day += timedelta(days=draw(st.integers(0, 20)) if gaps else 0)
        spans.append(Span(day, day + timedelta(days=length)))
        day = spans[-1].end
    return spans


def days_of(spans: list[Span]) -> set[date]:
    return {day.first for span in spans for day in Grain.DAY.spans(span.first, span.end)}


@given(cuts(), st.sampled_from(Grain), st.data())
def test_any_leaves_can_get_any_grain(there: list[Span], grain: Grain, data: st.DataObject) -> None:
    attached = [leaf(span) for span in there]
    chosen = data.draw(st.lists(st.sampled_from(attached), min_size=1, unique=True))
    spans = spans_of_grain(chosen, grain, attached)
    groups = exchanges(chosen, spans, attached)
    gone = {one.qualified for group in groups for one in group.leaves}
    left = [one.span for one in attached if one.qualified not in gone and one.span]
    after = sorted([*left, *(span for group in groups for span in group.spans)])
    assert not any(before.overlaps(later) for before, later in pairwise(after))
    assert days_of(there) <= days_of(after)
    again = [leaf(span) for span in after]
    changed = [one for one in again if one.span not in left or one.span in {c.span for c in chosen}]
    assert exchanges(changed, spans_of_grain(changed, grain, again), again) == []


@given(cuts(), st.sampled_from(Grain))
def test_groups_share_no_day(there: list[Span], grain: Grain) -> None:
    attached = [leaf(span) for span in there]
    groups = exchanges(attached, spans_of_grain(attached, grain, attached), attached)
    days = [days_of([*group.spans, *(one.span for one in group.leaves if one.span)]) for group in groups]
    assert sum(map(len, days)) == len(set().union(*days))


@given(st.integers(1, 9000))
def test_many_spans_are_reached_in_two_steps(number: int) -> None:
    spans = [Span(FIRST + timedelta(days=n), FIRST + timedelta(days=n + 1)) for n in range(number)]
    pieces = portions(spans)
    assert len(pieces) <= MOST_LEAVES
    assert days_of(pieces) == days_of(spans)
    assert all(len(days_of([piece])) <= MOST_LEAVES for piece in pieces)


def test_a_day_that_is_left_out() -> None:
    january = Grain.MONTH.span_of(FIRST)
    with pytest.raises(ConfigurationError, match="no span holds the day 2024-01-15"):
        exchanges([leaf(january)], [Span(FIRST, date(2024, 1, 15)), Span(date(2024, 1, 16), january.end)], [])


def test_a_span_without_a_leaf() -> None:
    january, march = Grain.MONTH.span_of(FIRST), Grain.MONTH.span_of(date(2024, 3, 1))
    with pytest.raises(ConfigurationError, match="no day of the leaves"):
        exchanges([leaf(january)], [*Grain.DAY.spans(january.first, january.end), march], [leaf(january)])


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("date_key", "20240229", None),
        ("date_key", "20230229", "whose key is no day"),
        ("date_key", "0", "whose key is no day"),
        ("date_key", "-20240101", "whose key is no day"),
        ("date_key", "99990101", "whose day is not between 1970-01-01 and 2199-12-31"),
        ("date", "2024-02-29", None),
        ("date", "infinity", "whose key is no day"),
        ("date", "10000-01-01", "whose key is no day"),
        ("date", "0044-03-15 BC", "whose key is no day"),
        ("timestamptz", "1969-12-31", "whose day is not between 1970-01-01 and 2199-12-31"),
        ("timestamptz", None, "without a key"),
    ],
)
def test_keys_that_are_no_days(kind: str, text: str | None, reason: str | None) -> None:
    policy = Policy.model_validate({"schema": "dwh", "table": "t", "key": "k", "key_kind": kind})
    keys = sorted_out(policy, [(text, 3)])
    assert (len(keys.found), keys.homeless) == ((0, {reason: 3}) if reason else (1, {}))
