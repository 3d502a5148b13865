"""History and facts do not depend on when what was told was told: any order, any files, any loads of facts between."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories import Told, World, as_of, rows_of

days = st.integers(1, 8)
rows = st.builds(
    Told,
    st.sampled_from("cd"),
    days,
    st.sampled_from(["A", "A", "B", None]),
    st.sampled_from(["x", "y", None]),
    st.none() | st.integers(8, 10),
)


def content(one: Told) -> tuple[object, ...]:
    """What a row says: of a deletion the attributes do not count, and `updated` has a default."""
    return one.client, one.day, one.segment, one.segment and one.sector, one.updated or one.day


def subject(one: Told) -> tuple[object, ...]:
    return one.client, one.day, one.updated or one.day


# No two rows of which only the order of telling could say which counts.
told_lists = st.lists(rows, max_size=9, unique_by=subject)
any_lists = st.lists(rows, max_size=9)
cuts = st.lists(st.integers(0, 9), max_size=4)
facts = st.lists(st.tuples(st.sampled_from("cde"), st.integers(0, 10)), max_size=8)
dice = st.randoms(use_true_random=False)
often = settings(max_examples=60, deadline=None)


def files(told: Sequence[Told], cuts: Sequence[int]) -> list[Sequence[Told]]:
    edges = [0, *sorted({cut for cut in cuts if cut < len(told)}), len(told)]
    return [told[begin:end] for begin, end in pairwise(edges)]


def told_in(parts: Sequence[Sequence[Told]]) -> World:
    world = World()
    for part in parts:
        world = world.tell(part)
    return world


@often
@given(told_lists, cuts, dice, facts, cuts)
def test_any_order_any_files_same_history_same_facts(
    told: list[Told], cuts: list[int], dice: object, facts: list[tuple[str, int]], loads: list[int]
) -> None:
    at_once = World().tell(told).happen(facts)
    shuffled = list(told)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    world = World()
    parts = files(shuffled, cuts)
    for number, part in enumerate(parts):
        world = world.happen(facts[number :: len(parts)]).tell(part)
    assert world.facts_seen() == at_once.facts_seen()
    assert world.seen() == at_once.seen()


@often
@given(any_lists, cuts, facts)
def test_files_in_the_order_of_telling_equal_one_file(
    told: list[Told], cuts: list[int], facts: list[tuple[str, int]]
) -> None:
    assert told_in(files(told, cuts)).happen(facts).seen() == World().tell(told).happen(facts).seen()


@often
@given(any_lists, cuts, facts)
def test_telling_it_twice_changes_nothing(told: list[Told], cuts: list[int], facts: list[tuple[str, int]]) -> None:
    once = told_in(files(told, cuts)).happen(facts)
    twice = once.tell(told)
    assert twice.moved.is_empty()
    assert twice.versions.equals(once.versions)
    assert twice.events.equals(once.events)


@often
@given(any_lists, cuts, facts)
def test_versions_follow_each_other_and_none_says_what_the_one_before_says(
    told: list[Told], cuts: list[int], facts: list[tuple[str, int]]
) -> None:
    world = told_in(files(told, cuts))
    for _, versions in world.versions.group_by("client_ref"):
        ordered = versions.sort("valid_from")
        ends = ordered["valid_to"].to_list()
        assert all(ends[:-1])
        assert (ordered["valid_from"].diff().drop_nulls() > timedelta(0)).all()
        segments = ordered["customer_segment"].to_list()
        for number, (end, begin) in enumerate(zip(ends[:-1], ordered["valid_from"][1:], strict=True)):
            assert end < begin or (end == begin and segments[number] != segments[number + 1])


@often
@given(any_lists, any_lists, facts)
def test_keys_stay_with_their_client_and_durable_keys_are_there(
    first: list[Told], then: list[Told], facts: list[tuple[str, int]]
) -> None:
    before = World().happen(facts).tell(first)
    after = before.tell(then)
    assert after.versions["client_key"].is_unique().all()
    both = before.versions.join(after.versions, on="client_key", suffix="_after")
    assert (both["client_ref"] == both["client_ref_after"]).all()
    assert (both["durable_key"] == both["durable_key_after"]).all()
    assert set(before.versions["durable_key"]) <= set(after.versions["client_key"])


@often
@given(any_lists, any_lists, facts)
def test_facts_point_at_the_version_of_their_moment(
    first: list[Told], then: list[Told], facts: list[tuple[str, int]]
) -> None:
    world = World().tell(first).happen(facts).tell(then)
    for ref, at, key in world.facts.iter_rows():
        assert key == as_of(world.versions, ref, at)


@often
@given(any_lists)
def test_each_thing_is_remembered_once(told: list[Told]) -> None:
    world = World().tell(told)
    assert world.events.height == len({content(one) for one in told})
    assert world.events.drop("event_id").equals(
        rows_of(told).drop("seq").unique(maintain_order=True).select(pl.exclude("event_id"))
    )
