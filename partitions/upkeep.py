"""What keeps the leaves of a table in good order: indexes, rights, statistics, frozen rows."""

from collections.abc import Iterator
from datetime import date

from partitions.catalog import Index, Leaf, Table
from partitions.indexes import expected_indexes, is_leftover, missing_indexes, same_index
from partitions.policy import Policy
from partitions.steps.indexing import BuildIndex, CompleteIndex, DropIndex, RebuildIndex
from partitions.steps.step import Step
from partitions.steps.upkeep import AnalyseLeaf, AnalyseParent, FreezeLeaf, RevokeGrants

# As autovacuum: a tenth of the rows and 50 changed since the last ANALYZE.
STALE_SHARE, STALE_ROWS = 0.1, 50
# Estimates of the rows of a whole table differ by chance; statistics of it are made again at a fifth.
PARENT_SHARE, PARENT_ROWS = 0.2, 50
# Three quarters of the age at which PostgreSQL freezes by force, whoever waits (autovacuum_freeze_max_age).
OLD_TRANSACTIONS = 150_000_000


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
