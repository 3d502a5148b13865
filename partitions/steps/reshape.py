"""Steps that move rows: leaves of another grain, a DEFAULT partition, a table without partitions."""

from dataclasses import dataclass, replace

from partitions.catalog import Leaf, Table
from partitions.grain import Span
from partitions.steps.make import new_leaf
from partitions.steps.step import Cost, LeafStep, Step, inserted, removed


@dataclass(frozen=True)
class ChangeGrain(Step):
    """Leaves are replaced by others for the same days; readers see each row exactly once throughout."""

    kind = "change grain"
    leaves: tuple[Leaf, ...]
    spans: tuple[Span, ...]

    @property
    def subject(self) -> str:
        return self.leaves[0].name

    @property
    def what(self) -> str:
        ends = f"{self.leaves[0].name}" + (f" to {self.leaves[-1].name}" if len(self.leaves) > 1 else "")
        return f"change {ends} ({len(self.leaves)}) into {len(self.spans)} leaves of {self.policy.grain.value} grain"

    @property
    def lock(self) -> str:
        return f"SHARE ROW EXCLUSIVE on the leaves, then ACCESS EXCLUSIVE on {self.policy.name} for milliseconds"

    @property
    def cost(self) -> Cost:
        return Cost(sum(max(leaf.rows, 0) for leaf in self.leaves), sum(leaf.bytes for leaf in self.leaves))

    def change(self, table: Table) -> Table:
        leaves = table.leaves
        for leaf in self.leaves:
            leaves = removed(leaves, leaf)
        for span in self.spans:
            share = len(self.spans)
            made = replace(
                new_leaf(self.policy, table, span), rows=self.cost.rows // share, bytes=self.cost.bytes // share
            )
            leaves = inserted(leaves, made)
        return replace(table, leaves=leaves)


@dataclass(frozen=True)
class RescueDefault(LeafStep):
    """Rows of a DEFAULT partition go into leaves of their own, and the DEFAULT partition goes."""

    kind = "rescue"

    @property
    def what(self) -> str:
        return f"move the rows of the DEFAULT partition {self.leaf.qualified} into leaves, and drop it"

    @property
    def lock(self) -> str:
        return f"SHARE ROW EXCLUSIVE on {self.leaf.name}, then ACCESS EXCLUSIVE on {self.policy.name} for milliseconds"

    def change(self, table: Table) -> Table:
        return replace(table, default=None)


@dataclass(frozen=True)
class AdoptTable(Step):
    """An ordinary table becomes a partitioned one."""

    kind = "adopt"

    @property
    def what(self) -> str:
        return f"make leaves of the rows of {self.policy.name}, which is not divided yet"

    @property
    def lock(self) -> str:
        return f"ACCESS EXCLUSIVE on {self.policy.name} while the tables change places"

    def change(self, table: Table) -> Table:
        divided = tuple(replace(leaf, undivided=False) for leaf in table.leaves)
        return replace(table, exists=True, unpartitioned=False, leaves=divided)
