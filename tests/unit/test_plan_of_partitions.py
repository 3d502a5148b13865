"""Plans: for any tables and policies, all that is wanted is done at once, and nothing goes that must stay."""

import time
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partitions.catalog import Catalog, Index, Leaf, Table, age
from partitions.grain import Grain, Span
from partitions.plan import Plan, plan
from partitions.policy import AtEnd, Policy, Retention
from partitions.steps.make import CreateLeaf
from partitions.steps.remove import ArchiveLeaf, DetachLeaf, DropLeaf

TODAY = date(2024, 5, 15)
BY_MOMENT = Index("by_moment", ("moment",))


def policy_of(**changes: object) -> Policy:
    values = {"schema": "dwh", "table": "events", "key": "date_key", "premake": 1, **changes}
    return Policy.model_validate(values)


def leaf_of(policy: Policy, span: Span, **changes: object) -> Leaf:
    values: dict[str, object] = {"schema": "dwh_parts", "name": span.leaf_of(policy.name), "span": span, **changes}
    return Leaf(policy.name, **values)  # type: ignore[arg-type]


def catalog_of(policy: Policy, *leaves: Leaf, **changes: object) -> Catalog:
    table = Table(policy.name, leaves=tuple(sorted(leaves, key=age)), **changes)  # type: ignore[arg-type]
    return Catalog({policy.name: table})


def months(first: date, end: date) -> list[Span]:
    return list(Grain.MONTH.spans(first, end))


def lines(found: Plan) -> list[str]:
    return [step.line for step in found.steps]


def kinds(found: Plan) -> list[str]:
    return [step.kind for step in found.steps]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    at_end = draw(st.sampled_from(AtEnd))
    grain = draw(st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER]))
    kept = draw(st.one_of(
        st.builds(Retention, days=st.integers(400, 900)),
        st.builds(Retention, months=st.integers(12, 30)),
        st.builds(Retention, leaves=st.integers(4, 20)),
    ))  # fmt: skip
    return policy_of(
        grain=grain,
        premake=draw(st.integers(0, 4)),
        at_end=at_end,
        retention=None if at_end is AtEnd.KEEP else kept,
        unique=draw(st.sampled_from([(), (("id",),)])),
        regrain=draw(st.booleans()),
    )


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    """Spans of any grain and of none, with gaps, that do not overlap."""
    day = date(2021, 1, 1) + timedelta(draw(st.integers(0, 1200)))
    found: list[Span] = []
    for _ in range(draw(st.integers(0, 12))):
        grain = draw(st.sampled_from([None, *Grain]))
        span = grain.span_of(day) if grain else Span(day, day + timedelta(draw(st.integers(1, 45))))
        first = max(span.first, found[-1].end) if found else span.first
        if first < span.end:
            found.append(Span(first, span.end))
        day = found[-1].end + timedelta(draw(st.sampled_from([0, 0, 0, 3, 70])))
    return found


def some_indexes(draw: st.DrawFn) -> tuple[Index, ...]:
    one = Index("one", ("id",), unique=True, valid=draw(st.booleans()))
    two = Index("two_ccnew", ("moment",), valid=False)
    return draw(st.sampled_from([(), (one,), (BY_MOMENT,), (one, two), (BY_MOMENT, two)]))


@st.composite
def tables(draw: st.DrawFn, policy: Policy) -> Table:
    """A table in any state, with leaves in their places, beside them, and in staging."""
    places: dict[str, list[Leaf]] = {"leaves": [], "orphans": [], "staged": []}
    for span in draw(spans()):
        leaf = leaf_of(
            policy,
            span,
            rows=draw(st.sampled_from([-1, 0, 1_000, 1_000_000])),
            bytes=draw(st.sampled_from([0, 8192, 10**9])),
            changed_rows=draw(st.sampled_from([0, 10, 10**6])),
            analysed=draw(st.booleans()),
            all_frozen=draw(st.booleans()),
            frozen_age=draw(st.sampled_from([0, 10**9])),
            grants=draw(st.sampled_from([(), ("public", "reader")])),
            held_until=draw(st.sampled_from([None, None, TODAY, TODAY + timedelta(9)])),
            indexes=some_indexes(draw),
        )
        place = draw(st.sampled_from(["leaves", "leaves", "leaves", "detaching", "orphans", "staged"]))
        if place == "detaching" and not any(other.detaching for other in places["leaves"]):
            places["leaves"].append(replace(leaf, detaching=True))
        elif place == "orphans":
            places["orphans"].append(replace(leaf, fits=draw(st.booleans()), proven=draw(st.booleans())))
        elif place == "staged":
            places["staged"].append(replace(leaf, schema="staging", awaited=draw(st.booleans())))
        else:
            places["leaves"].append(leaf)
    indexes = draw(st.sampled_from([(), (BY_MOMENT,), (replace(BY_MOMENT, valid=False),)]))
    return Table(
        policy.name,
        **{name: tuple(leaves) for name, leaves in places.items()},  # type: ignore[arg-type]
        indexes=indexes,
        analysed=draw(st.booleans()),
        rows=draw(st.sampled_from([-1, 0, 10**7])),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Policy, Catalog]:
    policy = draw(policies())
    table = draw(tables(policy))
    return policy, Catalog({policy.name: table}, draw(st.sampled_from([150_000, 180_000])))


@settings(max_examples=150, deadline=None)
@given(situations())
def test_after_a_plan_nothing_is_left_to_do(situation: tuple[Policy, Catalog]) -> None:
    policy, catalog = situation
    after = plan([policy], catalog, TODAY).after(catalog)
    assert lines(plan([policy], after, TODAY)) == []


@settings(max_examples=150, deadline=None)
@given(situations())
def test_nothing_goes_that_must_stay(situation: tuple[Policy, Catalog]) -> None:
    policy, catalog = situation
    archived: set[str] = set()
    state = catalog
    for step in plan([policy], catalog, TODAY).steps:
        before, state = state.tables[policy.name], step.after(state)
        if isinstance(step, ArchiveLeaf):
            archived.add(step.leaf.name)
        if isinstance(step, DropLeaf):
            assert policy.at_end in (AtEnd.DROP, AtEnd.ARCHIVE)
            assert policy.at_end is AtEnd.DROP or (step.leaf.name in archived and step.archived)
            assert step.leaf.name not in {leaf.name for leaf in before.leaves}, "still attached"
        if isinstance(step, DropLeaf) or type(step) is DetachLeaf:
            assert_over(policy, step)
        if before.leaves and step.kind != "finalize":
            assert state.tables[policy.name].leaves, "the last leaf"
        assert_apart(state.tables[policy.name])


def assert_over(policy: Policy, step: DropLeaf | DetachLeaf) -> None:
    leaf, kept = step.leaf, policy.retention
    assert kept
    assert leaf.span
    assert leaf.span.end <= (kept.bound(TODAY) or TODAY)
    assert leaf.held_until is None or leaf.held_until <= TODAY


def assert_apart(table: Table) -> None:
    found = [leaf.span for leaf in table.leaves if leaf.span]
    assert all(one.end <= other.first for one, other in pairwise(found))


@settings(max_examples=100, deadline=None)
@given(situations(), st.sampled_from([(), (Index("one", ("id",), unique=True, valid=False),)]), st.booleans())
def test_a_leaf_of_odd_bounds_is_left_alone(
    situation: tuple[Policy, Catalog], indexes: tuple[Index, ...], analysed: bool
) -> None:
    """It has no index that is wanted, no statistics, rights, rows that are not frozen: no step is about it."""
    policy, catalog = situation
    table = catalog.tables[policy.name]
    odd = Leaf(
        policy.name, "dwh_parts", "odd", None, "FOR VALUES FROM (20991231) TO (MAXVALUE)", rows=-1, analysed=analysed,
        all_frozen=False, frozen_age=10**9, changed_rows=10**6, grants=("public",), indexes=indexes,
    )  # fmt: skip
    catalog = replace(catalog, tables={policy.name: replace(table, leaves=(*table.leaves, odd))})
    found = plan([policy], catalog, TODAY)
    assert "odd" not in {step.subject for step in found.steps}
    assert not any("odd" in line for line in lines(found))
    assert not set(kinds(found)) & {"create", "attach", "archive", "detach", "drop", "change grain"}
    assert any("dwh_parts.odd are not whole days" in problem.text for problem in found.problems)
    assert lines(plan([policy], found.after(catalog), TODAY)) == []


@settings(max_examples=100, deadline=None)
@given(situations())
def test_every_day_from_the_oldest_leaf_to_the_horizon_has_a_leaf(situation: tuple[Policy, Catalog]) -> None:
    """Or it is told which table of other columns has the name of that leaf."""
    policy, catalog = situation
    found = plan([policy], catalog, TODAY)
    table = found.after(catalog).tables[policy.name]
    told = {problem.text for problem in found.problems}
    leaves = (
        *table.leaves,
        *(leaf for leaf in table.staged if leaf.awaited),
        *(leaf for leaf in table.orphans if f"a leaf cannot be made: another table is called {leaf.name}" in told),
    )
    there = sorted(leaf.span for leaf in leaves if leaf.span)
    covered = [span for span in there if span.first <= TODAY]
    bound = policy.retention.bound(TODAY) if policy.retention else None
    if policy.retention and policy.retention.leaves:
        bound = policy.grain.back(TODAY, policy.retention.leaves)
    for one, other in pairwise(covered):
        assert one.end == other.first or (bound and other.first <= bound) or found.problems
    assert any(span.first <= TODAY < span.end for span in there)
    assert max(span.end for span in there) >= policy.grain.ahead(TODAY, policy.premake)


def test_leaves_are_made_ahead_and_gaps_are_filled() -> None:
    policy = policy_of(premake=2)
    there = [leaf_of(policy, span) for span in months(date(2024, 1, 1), date(2024, 2, 1))]
    there += [leaf_of(policy, span) for span in months(date(2024, 4, 1), date(2024, 5, 1))]
    found = plan([policy], catalog_of(policy, *there), TODAY)
    assert lines(found) == [
        "+ create events_2024_02 for 2024-02, and attach it",
        "+ create events_2024_03 for 2024-03, and attach it",
        "+ create events_2024_05 for 2024-05, and attach it",
        "+ create events_2024_06 for 2024-06, and attach it",
        "+ create events_2024_07 for 2024-07, and attach it",
    ]


@pytest.mark.parametrize(
    ("at_end", "expected"),
    [
        ("detach", ["detach"]),
        ("drop", ["detach", "drop"]),
        ("archive", ["archive", "detach", "drop"]),
    ],
)
def test_the_end_of_a_leaf(at_end: str, expected: list[str]) -> None:
    policy = policy_of(at_end=at_end, retention={"months": 3})
    there = [leaf_of(policy, span) for span in months(date(2024, 1, 1), date(2024, 7, 1))]
    found = plan([policy], catalog_of(policy, *there), TODAY)
    assert kinds(found) == expected
    assert {step.subject for step in found.steps} == {"events_2024_01"}


def test_the_clock_on_the_wall_decides_not_the_newest_leaf() -> None:
    policy = policy_of(at_end="drop", retention={"months": 3})
    there = [leaf_of(policy, span) for span in months(date(2024, 2, 1), date(2024, 7, 1))]
    far = leaf_of(policy, Grain.MONTH.span_of(date(2199, 1, 1)))
    assert kinds(plan([policy], catalog_of(policy, *there, far), TODAY)) == []


def test_a_count_of_leaves() -> None:
    policy = policy_of(at_end="detach", retention={"leaves": 2})
    there = [leaf_of(policy, span) for span in months(date(2023, 12, 1), date(2024, 7, 1))]
    found = plan([policy], catalog_of(policy, *there), TODAY)
    assert [step.subject for step in found.steps] == ["events_2023_12", "events_2024_01", "events_2024_02"]


def test_a_leaf_that_is_held_stays() -> None:
    policy = policy_of(at_end="drop", retention={"months": 3})
    there = [leaf_of(policy, span) for span in months(date(2024, 2, 1), date(2024, 7, 1))]
    held = leaf_of(policy, Grain.MONTH.span_of(date(2022, 1, 1)), held_until=TODAY + timedelta(1))
    assert kinds(plan([policy], catalog_of(policy, *there, held), TODAY)) == []
    held = replace(held, held_until=TODAY)
    assert kinds(plan([policy], catalog_of(policy, *there, held), TODAY)) == ["detach", "drop"]


def test_a_pending_detach_comes_first() -> None:
    policy = policy_of(at_end="drop", retention={"months": 3})
    there = [leaf_of(policy, span) for span in months(date(2024, 2, 1), date(2024, 6, 1))]
    pending = leaf_of(policy, Grain.MONTH.span_of(date(2024, 1, 1)), detaching=True)
    assert kinds(plan([policy], catalog_of(policy, *there, pending), TODAY)) == ["finalize", "create", "drop"]


def test_odd_bounds_stop_what_could_hurt_and_nothing_else() -> None:
    policy = policy_of(at_end="drop", retention={"months": 1})
    there = leaf_of(policy, Grain.MONTH.span_of(date(2022, 1, 1)), all_frozen=False)
    odd = replace(
        leaf_of(policy, Grain.MONTH.span_of(TODAY)), span=None, name="odd", bounds="FOR VALUES FROM (1) TO (2)"
    )
    found = plan([policy], catalog_of(policy, there, odd), TODAY)
    assert kinds(found) == ["freeze"]
    assert [problem.text for problem in found.problems] == [
        "the bounds of dwh_parts.odd are not whole days of the table's time zone: FOR VALUES FROM (1) TO (2)"
    ]


def test_a_leaf_made_by_hand_is_gone_around() -> None:
    policy = policy_of(premake=0)
    by_hand = leaf_of(policy, Span(date(2024, 4, 20), date(2024, 5, 10)))
    found = plan([policy], catalog_of(policy, by_hand), TODAY)
    assert [step.span for step in found.steps if isinstance(step, CreateLeaf)] == [
        Span(date(2024, 5, 10), date(2024, 6, 1))
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"span": Span(date(2024, 4, 20), date(2024, 5, 10))},
            "has days (2024-04-20 to 2024-05-10) for which there is",
        ),
        ({"fits": False}, "is named like a leaf, but has other columns"),
    ],
)
def test_orphans_that_cannot_be_attached(changes: dict[str, Any], text: str) -> None:
    policy = policy_of(premake=0)
    current = leaf_of(policy, Grain.MONTH.span_of(TODAY))
    orphan = replace(leaf_of(policy, Grain.MONTH.span_of(date(2024, 6, 1))), name="orphan", **changes)
    found = plan([policy], catalog_of(policy, current, orphans=(orphan,)), TODAY)
    assert found.steps == ()
    assert text in found.problems[0].text


def test_an_orphan_within_retention_is_attached() -> None:
    policy = policy_of(premake=0, at_end="drop", retention={"years": 1})
    current = leaf_of(policy, Grain.MONTH.span_of(TODAY))
    orphan = leaf_of(policy, Grain.MONTH.span_of(date(2024, 4, 1)))
    old = leaf_of(policy, Grain.MONTH.span_of(date(2020, 4, 1)))
    unproven = leaf_of(policy, Grain.MONTH.span_of(date(2020, 5, 1)), proven=False)
    found = plan([policy], catalog_of(policy, current, orphans=(old, unproven, orphan)), TODAY)
    assert [(step.kind, step.subject) for step in found.steps] == [
        ("attach", "events_2024_04"),
        ("drop", "events_2020_04"),
    ]
    assert "no CHECK proves" in found.problems[0].text


def test_what_a_load_will_come_back_for_is_left_alone() -> None:
    policy = policy_of(premake=0)
    span = Grain.MONTH.span_of(TODAY)
    staged = leaf_of(policy, span, schema="staging", awaited=True)
    found = plan([policy], catalog_of(policy, staged=(staged,)), TODAY)
    assert found.steps == ()
    assert [problem.note for problem in found.problems] == [True]
    left = replace(staged, awaited=False)
    assert kinds(plan([policy], catalog_of(policy, staged=(left,)), TODAY)) == ["clear", "create"]


def test_a_table_that_is_missing_or_not_partitioned() -> None:
    policy = policy_of()
    missing = Catalog({policy.name: Table(policy.name, exists=False)})
    assert [problem.text for problem in plan([policy], missing, TODAY).problems] == ["there is no such table"]
    ordinary = Catalog({policy.name: Table(policy.name, exists=False, unpartitioned=True)})
    assert kinds(plan([policy], ordinary, TODAY)) == ["adopt"]


def test_a_default_partition_is_emptied_first() -> None:
    policy = policy_of()
    default = replace(leaf_of(policy, Grain.MONTH.span_of(TODAY)), span=None, bounds="DEFAULT")
    assert kinds(plan([policy], catalog_of(policy, default=default), TODAY)) == ["rescue"]


def test_a_row_of_1970_does_not_make_thousands_of_leaves() -> None:
    policy = policy_of(grain="day", premake=0)
    found = plan([policy], catalog_of(policy, leaf_of(policy, Grain.DAY.span_of(date(1970, 1, 1)))), TODAY)
    assert [step.subject for step in found.steps] == ["events_2024_05_15"]
    assert "19,857 leaves would fill the gaps" in found.problems[0].text


LOADED = ("fact_transactions", "fact_daily_client_summary")


@pytest.mark.parametrize("grains", [("week", "month"), ("month", "week"), ("day", "quarter"), ("week", "week")])
@pytest.mark.parametrize("day", [TODAY, date(2024, 12, 30), date(2024, 2, 29)])
def test_leaves_of_facts_and_of_their_summary_lie_within_each_other(grains: tuple[str, str], day: date) -> None:
    wanted = [policy_of(table=name, grain=grain, premake=5) for name, grain in zip(LOADED, grains, strict=True)]
    catalog = Catalog({policy.name: Table(policy.name) for policy in wanted})
    for today in (day, day + timedelta(20), day + timedelta(63)):
        catalog = plan(wanted, catalog, today).after(catalog)
        assert plan(wanted, catalog, today).steps == ()
        facts, summary = ([leaf.span for leaf in catalog.tables[policy.name].leaves] for policy in wanted)
        for one in facts:
            for other in summary:
                assert one
                assert other
                assert not one.overlaps(other) or one.covers(other) or other.covers(one)


def test_the_grain_of_leaves_is_changed_where_the_policy_asks_for_it() -> None:
    policy = policy_of(grain="week", premake=0, regrain=True)
    there = [leaf_of(policy, span, rows=1000) for span in months(date(2024, 4, 1), date(2024, 6, 1))]
    found = plan([policy], catalog_of(policy, *there), TODAY)
    assert kinds(found)[0] == "change grain"
    after = found.after(catalog_of(policy, *there)).tables[policy.name].leaves
    assert [str(leaf.span) for leaf in after] == [
        "2024-w14", "2024-w15", "2024-w16", "2024-w17", "2024-w18", "2024-w19", "2024-w20", "2024-w21",
        "2024-05-27 to 2024-06-01",
    ]  # fmt: skip


def test_three_thousand_leaves_are_planned_within_a_second() -> None:
    policy = policy_of(grain="day", premake=30, unique=[["id"]], at_end="archive", retention={"days": 1500})
    days = list(Grain.DAY.spans(TODAY - timedelta(3000), TODAY))
    worst = [leaf_of(policy, span, all_frozen=False, grants=("public",)) for span in days]
    catalog = catalog_of(policy, *worst, analysed=False, indexes=(BY_MOMENT,))
    began = time.process_time()
    found = plan([policy], catalog, TODAY)
    assert time.process_time() - began < 1
    assert len(found.steps) > 7000


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("policy", "leaves", "mib", "grain", "reason"),
    [
        (
            {"target_mib": 100},
            4,
            400,
            "week",
            "4 of 4 leaves outgrew 100 MiB; the largest, events_2024_01, has 400 MiB",
        ),
        ({"target_mib": 100}, 4, 4000, "day", "4 of 4 leaves outgrew 100 MiB"),
        ({"target_mib": 100, "grain": "day"}, 300, 0.01, "year", "leaves of 0.0 MiB on average; one a year would stay"),
        (
            {"target_mib": 1000, "grain": "day"},
            300,
            10,
            "month",
            "leaves of 10.0 MiB on average; one a month would stay",
        ),
    ],
)
def test_another_grain_is_proposed(policy: dict[str, Any], leaves: int, mib: float, grain: str, reason: str) -> None:
    wanted = policy_of(premake=0, **policy)
    first = wanted.grain.back(TODAY, leaves)
    there = [leaf_of(wanted, span, bytes=int(mib * MIB), rows=9) for span in wanted.grain.spans(first, TODAY)]
    (advice,) = plan([wanted], catalog_of(wanted, *there), TODAY).advice
    assert advice.grain == grain
    assert reason in advice.reason


@pytest.mark.parametrize("mib", [1, 90])
def test_leaves_of_a_good_size_need_no_advice(mib: int) -> None:
    wanted = policy_of(premake=0, target_mib=100)
    there = [leaf_of(wanted, span, bytes=mib * MIB) for span in months(date(2023, 1, 1), TODAY)]
    assert plan([wanted], catalog_of(wanted, *there), TODAY).advice == ()


def test_leaves_of_another_grain_are_kept_unless_somebody_asks() -> None:
    wanted = policy_of(premake=0, grain="day")
    found = plan([wanted], catalog_of(wanted, leaf_of(wanted, Grain.MONTH.span_of(TODAY))), TODAY)
    assert found.steps == ()
    assert found.advice[0].reason == "1 leaves are of another grain; regrain = true would change them"


def test_more_leaves_than_can_be_exchanged_at_once_are_left() -> None:
    wanted = policy_of(premake=0, grain="day", regrain=True)
    year = leaf_of(wanted, Grain.YEAR.span_of(TODAY))
    found = plan([wanted], catalog_of(wanted, year), TODAY)
    assert found.steps == ()
    assert "366 leaves cannot take the place of 1 at once" in found.problems[0].text


def test_the_last_leaf_stays_where_no_other_can_be_made() -> None:
    wanted = policy_of(premake=0, at_end="drop", retention={"days": 1})
    old = [leaf_of(wanted, span) for span in months(date(2022, 1, 1), date(2022, 3, 1))]
    in_the_way = leaf_of(wanted, Grain.MONTH.span_of(TODAY), fits=False)
    found = plan([wanted], catalog_of(wanted, *old, orphans=(in_the_way,)), TODAY)
    assert [(step.kind, step.subject) for step in found.steps] == [
        ("detach", "events_2022_01"),
        ("drop", "events_2022_01"),
    ]
    assert "another table is called events_2024_05" in found.problems[0].text
