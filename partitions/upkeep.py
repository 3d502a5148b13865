"""What keeps the leaves of a table in good order: their grain, indexes, rights, statistics, frozen rows."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from partitions.catalog import Index, Leaf, Table
from partitions.exchanges import MOST_LEAVES, groups
from partitions.grain import Span
from partitions.indexes import expected_indexes, is_leftover, missing_indexes, same_index
from partitions.policy import Policy
from partitions.steps.indexing import BuildIndex, CompleteIndex, DropIndex, RebuildIndex
from partitions.steps.reshape import ChangeGrain
from partitions.steps.step import Step
from partitions.steps.upkeep import AnalyseLeaf, AnalyseParent, FreezeLeaf, RevokeGrants
from partitions.timeline import is_past, may_go

# As autovacuum: a tenth of the rows and 50 changed since the last ANALYZE.
STALE_SHARE, STALE_ROWS = 0.1, 50
# Estimates of the rows of a whole table differ by chance; statistics of it are made again at a fifth.
PARENT_SHARE, PARENT_ROWS = 0.2, 50
# Three quarters of the age at which PostgreSQL freezes by force, whoever waits (autovacuum_freeze_max_age).
OLD_TRANSACTIONS = 150_000_000


def grain_steps(
    policy: Policy, table: Table, today: date, bound: date | None, borders: Sequence[date]
) -> list[ChangeGrain]:
    """If the policy wants it: steps after which each leaf is a unit of the grain, cut at `borders` and at gaps."""
    if not policy.regrain:
        return []
    changeable = {leaf.name for leaf in table.leaves if may_go(leaf, today) and not is_past(leaf.span, bound)}
    return [
        ChangeGrain(policy, group.leaves, group.spans)
        for run in _runs(table.leaves, changeable)
        for group in groups([leaf for leaf, _ in run], _cut(policy, run[0][1].first, run[-1][1].end, borders))
        if group.is_needed
    ]


def is_too_large(step: ChangeGrain) -> bool:
    """Whether so many leaves would have to come at once that readers would feel it."""
    return len(step.spans) > MOST_LEAVES


def _runs(leaves: Sequence[Leaf], names: set[str]) -> Iterator[list[tuple[Leaf, Span]]]:
    """Leaves of these names without a gap between them."""
    run: list[tuple[Leaf, Span]] = []
    for leaf in leaves:
        changeable = leaf.span if leaf.name in names else None
        if run and (changeable is None or run[-1][1].end != changeable.first):
            yield run
            run = []
        if changeable is not None:
            run.append((leaf, changeable))
    if run:
        yield run


def _cut(policy: Policy, first: date, end: date, borders: Sequence[date]) -> list[Span]:
    """Units of the grain from a day to another, cut at `borders`."""
    units = {unit.first for unit in policy.grain.spans(first, end)} | set(borders)
    cuts = sorted({first, end} | {day for day in units if first < day < end})
    return [Span(*cut) for cut in pairwise(cuts)]


def index_steps(policy: Policy, table: Table) -> Iterator[Step]:
    """Indexes that are missing, or that PostgreSQL may not use."""
    for leaf in _own(table):
        for index in leaf.indexes:
            if is_leftover(index, leaf):
                yield DropIndex(policy, leaf, index)
            elif not index.valid and is_wanted(index, policy, table):
                yield RebuildIndex(policy, leaf, index)
        for index in missing_indexes(policy, table, leaf):
            yield BuildIndex(policy, leaf, index)


def completion_steps(policy: Policy, table: Table) -> Iterator[Step]:
    """Indexes of the parent that are not valid although every leaf has its own by now."""
    for index in table.indexes:
        if not index.valid and all(leaf.ordinary and _has(leaf, index) for leaf in table.leaves):
            yield CompleteIndex(policy, index, table.leaves)


def _has(leaf: Leaf, wanted: Index) -> bool:
    return any(index.valid and same_index(index, wanted) for index in leaf.indexes)


def is_wanted(index: Index, policy: Policy, table: Table) -> bool:
    """Whether policy or parent have such an index."""
    return any(same_index(index, wanted) for wanted in expected_indexes(policy, table))


def grant_steps(policy: Policy, table: Table) -> Iterator[Step]:
    """Rights on leaves."""
    return (RevokeGrants(policy, leaf) for leaf in _own(table) if leaf.grants)


def row_steps(policy: Policy, table: Table, today: date) -> Iterator[Step]:
    """Leaves to be frozen or analysed."""
    for leaf in _own(table):
        closed = leaf.span is not None and leaf.span.end <= today
        if (closed and not leaf.all_frozen) or leaf.frozen_age > OLD_TRANSACTIONS:
            yield FreezeLeaf(policy, leaf)
        elif not leaf.analysed or leaf.changed_rows > STALE_ROWS + STALE_SHARE * max(leaf.rows, 0):
            yield AnalyseLeaf(policy, leaf)


def parent_steps(policy: Policy, table: Table, server_version: int) -> Iterator[Step]:
    """Statistics of the table as a whole."""
    rows = sum(max(leaf.rows, 0) for leaf in table.leaves)
    moved = abs(rows - max(table.rows, 0)) > PARENT_ROWS + PARENT_SHARE * max(rows, table.rows)
    if table.leaves and (not table.analysed or moved):
        yield AnalyseParent(policy, server_version >= 180_000, rows)


def _own(table: Table) -> Iterator[Leaf]:
    """Leaves such as the manager makes. One whose bounds are not whole days is left alone wholly, and told of."""
    return (leaf for leaf in table.leaves if leaf.ordinary and leaf.span and not leaf.detaching)
