"""Steps that keep leaves in good order: statistics, frozen rows, indexes, rights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from partitions.catalog import Index, Leaf, Table
from partitions.indexes import WantedIndex, index_name, plain_btree, same_index
from partitions.leaves import Statement, parent_of
from partitions.steps.step import Cost, LeafStep, Step, found, name_of, updated
from warehouse.connection import sql


@dataclass(frozen=True)
class FreezeLeaf(LeafStep):
    """A closed leaf is vacuumed, frozen and analysed once, so that no anti-wraparound vacuum comes for it later."""

    kind = "freeze"

    @property
    def what(self) -> str:
        return f"vacuum, freeze and analyse {self.leaf.name}"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    def statements(self, timezone: str) -> Sequence[Statement]:
        # Cutting empty pages off the end would take an ACCESS EXCLUSIVE lock.
        return [sql.SQL("VACUUM (FREEZE, ANALYZE, TRUNCATE false) {}").format(name_of(self.leaf))]

    def change(self, table: Table) -> Table:
        healed = {"all_frozen": True, "frozen_age": 0, "analysed": True, "changed_rows": 0}
        return replace(table, leaves=updated(table.leaves, self.leaf, **healed))


@dataclass(frozen=True)
class AnalyseLeaf(LeafStep):
    """Statistics of a leaf that has none, or whose rows have changed since."""

    kind = "analyse"

    @property
    def what(self) -> str:
        return f"analyse {self.leaf.name}"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    def statements(self, timezone: str) -> Sequence[Statement]:
        return [sql.SQL("ANALYZE {}").format(name_of(self.leaf))]

    def change(self, table: Table) -> Table:
        return replace(table, leaves=updated(table.leaves, self.leaf, analysed=True, changed_rows=0))


@dataclass(frozen=True)
class AnalyseParent(Step):
    """Statistics of the table as a whole, which autovacuum never makes; with `only` the leaves keep theirs."""

    kind = "analyse table"
    only: bool
    rows: int

    @property
    def what(self) -> str:
        return f"analyse {self.policy.name} as a whole"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}"

    @property
    def cost(self) -> Cost:
        return Cost(self.rows)

    def statements(self, timezone: str) -> Sequence[Statement]:
        only = sql.SQL("ONLY " if self.only else "")
        return [sql.SQL("ANALYZE {}{}").format(only, parent_of(self.policy))]

    def change(self, table: Table) -> Table:
        return replace(table, analysed=True, rows=self.rows)


@dataclass(frozen=True)
class BuildIndex(LeafStep):
    """An index that the policy or the parent has, and a leaf lacks."""

    kind = "index"
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

    def statements(self, timezone: str) -> Sequence[Statement]:
        wanted = WantedIndex(self.index.columns, self.index.unique, plain_btree(self.index.columns))
        return [wanted.statement(self.leaf.schema, self.leaf.name, concurrently=True)]

    def change(self, table: Table) -> Table:
        leaf = found(table.leaves, self.leaf)
        built = replace(self.index, name=self.name, valid=True)
        return replace(table, leaves=updated(table.leaves, self.leaf, indexes=(*_indexes(leaf), built)))


@dataclass(frozen=True)
class RebuildIndex(LeafStep):
    """An index of a leaf that PostgreSQL may not use: its build was interrupted."""

    kind = "reindex"
    index: Index

    @property
    def what(self) -> str:
        return f"rebuild the index {self.index.name} of {self.leaf.name}, concurrently"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.leaf.qualified}"

    def statements(self, timezone: str) -> Sequence[Statement]:
        return [sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(self.leaf.schema, self.index.name))]

    def change(self, table: Table) -> Table:
        leaf = found(table.leaves, self.leaf)
        indexes = (replace(index, valid=True) if index == self.index else index for index in _indexes(leaf))
        return replace(table, leaves=updated(table.leaves, self.leaf, indexes=tuple(indexes)))


@dataclass(frozen=True)
class DropIndex(LeafStep):
    """An index that PostgreSQL may not use, beside another one that serves for the same."""

    kind = "drop index"
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

    def statements(self, timezone: str) -> Sequence[Statement]:
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

    def statements(self, timezone: str) -> Sequence[Statement]:
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


@dataclass(frozen=True)
class RevokeGrants(LeafStep):
    """Rights on a leaf itself: they belong on the table, where row-level security sees them."""

    kind = "revoke"
    together = True
    sign = "-"

    @property
    def what(self) -> str:
        return f"revoke the rights of {', '.join(self.leaf.grants)} on {self.leaf.name}"

    @property
    def lock(self) -> str:
        return f"none on {self.leaf.qualified}; its row in the catalog"

    @property
    def cost(self) -> Cost:
        return Cost()

    def statements(self, timezone: str) -> Sequence[Statement]:
        roles = (sql.SQL("PUBLIC") if role == "public" else sql.Identifier(role) for role in self.leaf.grants)
        return [sql.SQL("REVOKE ALL ON {} FROM {} CASCADE").format(name_of(self.leaf), role) for role in roles]

    def change(self, table: Table) -> Table:
        return replace(table, leaves=updated(table.leaves, self.leaf, grants=()))


def _indexes(leaf: Leaf | None) -> tuple[Index, ...]:
    return leaf.indexes if leaf else ()
