"""Steps that keep leaves in good order: statistics, frozen rows, rights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from partitions.catalog import Table
from partitions.leaves import Statement, parent_of
from partitions.steps.step import Cost, LeafStep, Step, updated
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

    @property
    def statements(self) -> Sequence[Statement]:
        # Cutting empty pages off the end would take an ACCESS EXCLUSIVE lock.
        return [sql.SQL("VACUUM (FREEZE, ANALYZE, TRUNCATE false) {}").format(self.leaf.identifier)]

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

    @property
    def statements(self) -> Sequence[Statement]:
        return [sql.SQL("ANALYZE {}").format(self.leaf.identifier)]

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

    @property
    def statements(self) -> Sequence[Statement]:
        only = sql.SQL("ONLY " if self.only else "")
        return [sql.SQL("ANALYZE {}{}").format(only, parent_of(self.policy))]

    def change(self, table: Table) -> Table:
        return replace(table, analysed=True, rows=self.rows)


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

    @property
    def statements(self) -> Sequence[Statement]:
        roles = (sql.SQL("PUBLIC") if role == "public" else sql.Identifier(role) for role in self.leaf.grants)
        return [sql.SQL("REVOKE ALL ON {} FROM {} CASCADE").format(self.leaf.identifier, role) for role in roles]

    def change(self, table: Table) -> Table:
        return replace(table, leaves=updated(table.leaves, self.leaf, grants=()))
