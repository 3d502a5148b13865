"""Steps about the indexes of leaves and of their parent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from partitions.catalog import Index, Leaf, Table
from partitions.indexes import index_name, same_index
from partitions.leaves import Statement
from partitions.steps.step import Cost, LeafStep, Step, found, updated
from partitions.turns import ONE_TURN
from warehouse.connection import sql


@dataclass(frozen=True)
class BuildIndex(LeafStep):
    """An index that the policy or the parent has, and a leaf lacks."""

    kind = "index"
    timeout = ONE_TURN
    sign = "+"
    index: Index

    @property
    def name(self) -> str:
        return index_name(self.leaf.name, self.index.columns)

    @property
    def what(self) -> str:
        return f"build the index ({', '.join(self.index.columns)}) of {self.leaf.name}, concurrently"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    def change(self, table: Table) -> Table:
        leaf = found(table.leaves, self.leaf)
        built = replace(self.index, name=self.name, valid=True)
        return replace(table, leaves=updated(table.leaves, self.leaf, indexes=(*_indexes(leaf), built)))


@dataclass(frozen=True)
class RebuildIndex(LeafStep):
    """An index of a leaf that PostgreSQL may not use: its build was interrupted."""

    kind = "reindex"
    timeout = ONE_TURN
    index: Index

    @property
    def what(self) -> str:
        return f"rebuild the index {self.index.name} of {self.leaf.name}, concurrently"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    @property
    def statements(self) -> Sequence[Statement]:
        return [sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(self.leaf.schema, self.index.name))]

    def change(self, table: Table) -> Table:
        leaf = found(table.leaves, self.leaf)
        indexes = (replace(index, valid=True) if index == self.index else index for index in _indexes(leaf))
        return replace(table, leaves=updated(table.leaves, self.leaf, indexes=tuple(indexes)))


@dataclass(frozen=True)
class DropIndex(LeafStep):
    """An index that PostgreSQL may not use, beside another one that serves for the same."""

    kind = "drop index"
    timeout = ONE_TURN
    sign = "-"
    index: Index

    @property
    def what(self) -> str:
        return f"drop the index {self.index.name} of {self.leaf.name}, left by a rebuild that was interrupted"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    @property
    def cost(self) -> Cost:
        return Cost()

    @property
    def statements(self) -> Sequence[Statement]:
        return [sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(self.leaf.schema, self.index.name))]

    def change(self, table: Table) -> Table:
        leaf = found(table.leaves, self.leaf)
        kept = tuple(index for index in _indexes(leaf) if index != self.index)
        return replace(table, leaves=updated(table.leaves, self.leaf, indexes=kept))


@dataclass(frozen=True)
class CompleteIndex(Step):
    """An index of the parent becomes valid: the same index of each leaf is attached to it."""

    kind = "complete index"
    index: Index
    leaves: tuple[Leaf, ...]

    @property
    def what(self) -> str:
        return f"attach the indexes of {len(self.leaves)} leaves to {self.index.name}"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}; ACCESS EXCLUSIVE on the index, which no query uses yet"

    @property
    def statements(self) -> Sequence[Statement]:
        parent = sql.Identifier(self.policy.table_schema, self.index.name)
        names = [
            (leaf.schema, index.name)
            for leaf in self.leaves
            for index in leaf.indexes
            if index.valid and same_index(index, self.index)
        ]
        return [sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(parent, sql.Identifier(*name)) for name in names]

    def change(self, table: Table) -> Table:
        indexes = (replace(index, valid=True) if index == self.index else index for index in table.indexes)
        return replace(table, indexes=tuple(indexes))


def _indexes(leaf: Leaf | None) -> tuple[Index, ...]:
    return leaf.indexes if leaf else ()
