"""Steps by which leaves go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from partitions.catalog import Table
from partitions.detach import detaching
from partitions.leaves import Statement
from partitions.steps.step import Cost, LeafStep, Step, inserted, removed
from warehouse.connection import sql


@dataclass(frozen=True)
class ArchiveLeaf(LeafStep):
    """A leaf whose retention has passed is written to Parquet files and compared with them; it stays where it is."""

    kind = "archive"

    @property
    def what(self) -> str:
        return f"archive {self.leaf.name} ({self.leaf.span}), and compare"

    @property
    def lock(self) -> str:
        return f"ACCESS SHARE on {self.leaf.qualified}"

    def change(self, table: Table) -> Table:
        return table


@dataclass(frozen=True)
class DetachLeaf(LeafStep):
    """A leaf leaves its table while queries go on."""

    kind = "detach"
    sign = "-"

    @property
    def what(self) -> str:
        return f"detach {self.leaf.name} ({self.leaf.span})"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}; ACCESS EXCLUSIVE on the leaf once no query has it"

    @property
    def cost(self) -> Cost:
        return Cost()

    @property
    def statements(self) -> Sequence[Statement]:
        return [detaching(self.policy, self.leaf, "CONCURRENTLY")]

    def change(self, table: Table) -> Table:
        loose = replace(self.leaf, bounds="", detaching=False)
        return replace(table, leaves=removed(table.leaves, self.leaf), orphans=inserted(table.orphans, loose))


@dataclass(frozen=True)
class FinalizeDetach(DetachLeaf):
    """A detach that was interrupted is brought to its end."""

    kind = "finalize"

    @property
    def what(self) -> str:
        return f"finish the detach of {self.leaf.name} ({self.leaf.span}) that was interrupted"

    @property
    def statements(self) -> Sequence[Statement]:
        return [detaching(self.policy, self.leaf, "FINALIZE")]


@dataclass(frozen=True)
class DropLeaf(LeafStep):
    """A detached leaf is dropped; if the policy wants an archive, only after it was compared with it once more."""

    kind = "drop"
    sign = "-"
    together = True
    archived: bool

    @property
    def what(self) -> str:
        compared = "compare with the archive once more, and " if self.archived else ""
        return f"{compared}drop {self.leaf.name} ({self.leaf.span})"

    @property
    def lock(self) -> str:
        return f"ACCESS EXCLUSIVE on {self.leaf.qualified}, which is detached"

    @property
    def statements(self) -> Sequence[Statement]:
        return [sql.SQL("DROP TABLE {}").format(self.leaf.identifier)]

    def change(self, table: Table) -> Table:
        return replace(table, orphans=removed(table.orphans, self.leaf))


@dataclass(frozen=True)
class ClearLeftovers(Step):
    """What interrupted work left in `staging`, and nobody will come back for."""

    kind = "clear"
    together = True
    sign = "-"
    names: tuple[str, ...]

    @property
    def what(self) -> str:
        left = ", ".join(self.names) or "captured changes"
        return f"throw away {left} in staging, left by work that was interrupted"

    @property
    def lock(self) -> str:
        return "ACCESS EXCLUSIVE on tables in staging, which no query knows"

    @property
    def statements(self) -> Sequence[Statement]:
        return [sql.SQL("DROP TABLE {}").format(sql.Identifier("staging", name)) for name in self.names]

    def change(self, table: Table) -> Table:
        return replace(
            table, staged=tuple(leaf for leaf in table.staged if leaf.name not in self.names), interrupted=False
        )
