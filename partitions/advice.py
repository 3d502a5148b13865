"""Leaves that are too large or too many: another grain, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from partitions.catalog import Leaf, Table
from partitions.grain import Grain
from partitions.policy import MIB, Policy

# Planning a query that does not prune takes longer with every leaf; from here on it is felt.
MANY_LEAVES = 200
# Leaves smaller than this share of the target cost more in planning and locks than they save in reading.
TINY_SHARE = 0.02

DAYS = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}


@dataclass(frozen=True)
class Advice:
    """A grain that would suit a table better than the one it has."""

    table: str
    grain: Grain
    reason: str


def advise(policy: Policy, table: Table, today: date) -> Iterator[Advice]:
    """What a person may want to change in a policy, seeing how large the leaves are."""
    closed = [leaf for leaf in table.leaves if leaf.ordinary and leaf.span and leaf.span.end <= today and leaf.bytes]
    target = policy.target_mib * MIB
    outgrown = [leaf for leaf in closed if leaf.bytes > target]
    if outgrown:
        yield from _finer(policy, outgrown, len(closed))
    elif len(table.leaves) >= MANY_LEAVES and closed:
        yield from _coarser(policy, closed, len(table.leaves))
    if not policy.regrain:
        yield from _of_another_grain(policy, table)


def _finer(policy: Policy, outgrown: list[Leaf], leaves: int) -> Iterator[Advice]:
    largest = max(outgrown, key=lambda leaf: leaf.bytes)
    fitting = [grain for grain in Grain if _bytes_a_day(largest) * DAYS[grain] <= policy.target_mib * MIB]
    grain = fitting[-1] if fitting else Grain.DAY
    if DAYS[grain] < DAYS[policy.grain]:
        yield Advice(
            policy.name,
            grain,
            f"{len(outgrown)} of {leaves} leaves outgrew {policy.target_mib:,} MiB;"
            f" the largest, {largest.name}, has {largest.bytes // MIB:,} MiB",
        )


def _coarser(policy: Policy, closed: list[Leaf], leaves: int) -> Iterator[Advice]:
    target = policy.target_mib * MIB
    average = sum(leaf.bytes for leaf in closed) / len(closed)
    a_day = max(_bytes_a_day(leaf) for leaf in closed)
    # With room to grow: twice the size must still be within the target.
    fitting = [grain for grain in Grain if 2 * a_day * DAYS[grain] <= target and DAYS[grain] > DAYS[policy.grain]]
    if average < TINY_SHARE * target and fitting:
        yield Advice(
            policy.name,
            fitting[-1],
            f"{leaves} leaves of {average / MIB:,.1f} MiB on average; one a {fitting[-1].value} would stay below"
            f" {policy.target_mib:,} MiB and make queries cheaper to plan",
        )


def _of_another_grain(policy: Policy, table: Table) -> Iterator[Advice]:
    others = [leaf for leaf in table.leaves if leaf.span and leaf.span.grain not in (policy.grain, None)]
    if others:
        yield Advice(
            policy.name, policy.grain, f"{len(others)} leaves are of another grain; regrain = true would change them"
        )


def _bytes_a_day(leaf: Leaf) -> float:
    assert leaf.span is not None
    return leaf.bytes / (leaf.span.end - leaf.span.first).days
