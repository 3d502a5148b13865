"""Which leaves a table should have today: those that come, those that come back, those whose time is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from partitions.catalog import Leaf, Table
from partitions.grain import Grain, Span
from partitions.layout import Layout, Ordered
from partitions.leaves import LEAF_SCHEMA
from partitions.policy import AtEnd, Policy

# A single row of 1970 would have years of days filled with leaves; beyond this a person should look.
MOST_LEAVES_IN_GAPS = 2_000


@dataclass(frozen=True)
class Timeline:
    """`create` and `back` are to come; leaves that end up to `bound` are past.

    Of leaves whose names are `taken` there are others already; more than a person would want are `too_many`.
    """

    create: tuple[Span, ...]
    back: tuple[Leaf, ...]
    bound: date | None
    taken: tuple[str, ...] = ()
    too_many: int = 0


def timeline(policy: Policy, table: Table, today: date, *, until: date, beside: Sequence[Span] = ()) -> Timeline:
    """What is to become of a table whose leaves all have a span.

    `until` is the day up to which leaves are made ahead; `beside` are leaves of a table that is filled with this one.
    """
    back = attachable(table, today)
    there = [*_spans(table.leaves), *_spans(back), *awaited_spans(table)]
    layout = Layout(policy.grain, there, beside)
    bound = _bound(policy, today)
    back = tuple(leaf for leaf in back if not is_past(leaf.span, bound))
    going = {leaf.name for leaf in past_leaves(table, bound, today)}
    staying = [leaf.span for leaf in (*table.leaves, *back) if leaf.span and leaf.name not in going]
    wanted = _wanted(layout, min([today, *(span.first for span in staying)]), until, today, bound)
    known = set(there)
    create, taken = _free_names(policy, table, back, [span for span in wanted if span not in known])
    gaps = [span for span in create if span.end <= today]
    if len(gaps) > MOST_LEAVES_IN_GAPS:
        create = [span for span in create if span.end > today]
    excess = len(gaps) if len(gaps) > MOST_LEAVES_IN_GAPS else 0
    return Timeline(tuple(create), back, bound, taken, excess)


def is_past(span: Span | None, bound: date | None) -> bool:
    """Whether the retention of these days is over."""
    return span is not None and bound is not None and span.end <= bound


def past_leaves(table: Table, bound: date | None, today: date) -> list[Leaf]:
    """Attached leaves whose retention is over; never all that there are."""
    past = [leaf for leaf in table.leaves if is_past(leaf.span, bound) and may_go(leaf, today)]
    return past[:-1] if len(past) == len(table.leaves) else past


def may_go(leaf: Leaf, today: date) -> bool:
    """Whether a leaf is one that the manager may remove: made like its own, and held by nobody."""
    held = leaf.held_until is not None and today < leaf.held_until
    return leaf.ordinary and leaf.schema == LEAF_SCHEMA and not held


def attachable(table: Table, today: date) -> tuple[Leaf, ...]:
    """Loose tables in `dwh_parts` that could be leaves: of the same columns, for days that have none."""
    taken = Ordered(sorted([*_spans(table.leaves), *awaited_spans(table)]))
    chosen: list[Leaf] = []
    for leaf in table.orphans:
        span = leaf.span
        if span is None or not (leaf.ordinary and leaf.fits) or taken.overlaps(span):
            continue
        last = chosen[-1].span if chosen else None
        if last is None or last.end <= span.first:
            chosen.append(leaf)
    return tuple(chosen)


def awaited_spans(table: Table) -> list[Span]:
    """Days whose leaves stand in `staging` and will be attached by the load that built them."""
    return [leaf.span for leaf in table.staged if leaf.awaited and leaf.span]


def _spans(leaves: Sequence[Leaf]) -> list[Span]:
    return [leaf.span for leaf in leaves if leaf.span]


def _bound(policy: Policy, today: date) -> date | None:
    if policy.retention is None or policy.at_end is AtEnd.KEEP:
        return None
    if policy.retention.leaves is None:
        return policy.retention.bound(today)
    # So many units of the grain: leaves that are cut otherwise, and gaps, do not change it.
    return policy.grain.back(today, policy.retention.leaves)


def _wanted(layout: Layout, first: date, until: date, today: date, bound: date | None) -> list[Span]:
    begin = first if bound is None else max(first, min(bound, today))
    return [span for span in _fill(layout, begin, until) if not is_past(span, bound)]


def _fill(layout: Layout, first: date, end: date) -> Iterator[Span]:
    day = first
    while day < end:
        span = layout.span_of(day)
        yield span
        day = span.end


def _free_names(
    policy: Policy, table: Table, back: tuple[Leaf, ...], spans: list[Span]
) -> tuple[list[Span], tuple[str, ...]]:
    """The leaves that can be made, and the names of those that cannot, because a table has that name."""
    others = {leaf.name for leaf in (*table.leaves, *table.orphans, *back)}
    taken = tuple(span.leaf_of(policy.name) for span in spans if span.leaf_of(policy.name) in others)
    return [span for span in spans if span.leaf_of(policy.name) not in others], taken


def horizon(policy: Policy, today: date) -> date:
    """The day up to which leaves are made ahead."""
    return policy.grain.ahead(today, policy.premake)


def coarser(one: Grain, other: Grain) -> bool:
    """Whether leaves of the first grain are longer than those of the second."""
    order = list(Grain)
    return order.index(one) > order.index(other)
