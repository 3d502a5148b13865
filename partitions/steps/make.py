"""Steps by which leaves come."""

from dataclasses import dataclass, replace

from partitions.catalog import Leaf, Table
from partitions.grain import Span
from partitions.indexes import expected_indexes, missing_indexes
from partitions.leaves import LEAF_SCHEMA
from partitions.policy import Policy
from partitions.steps.step import LeafStep, Step, inserted, removed


@dataclass(frozen=True)
class CreateLeaf(Step):
    """A leaf without rows: created aside, indexed, analysed, attached in one transaction: a kill leaves nothing."""

    kind = "create"
    sign = "+"
    span: Span

    @property
    def subject(self) -> str:
        return self.span.leaf_of(self.policy.name)

    @property
    def what(self) -> str:
        return f"create {self.subject} for {self.span}, and attach it"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}"

    def change(self, table: Table) -> Table:
        return replace(table, leaves=inserted(table.leaves, new_leaf(self.policy, table, self.span)))


def new_leaf(policy: Policy, table: Table, span: Span) -> Leaf:
    """A leaf as it is made: empty, indexed, analysed."""
    indexes = tuple(replace(index, valid=True) for index in expected_indexes(policy, table))
    return Leaf(policy.name, LEAF_SCHEMA, span.leaf_of(policy.name), span, indexes=indexes)


@dataclass(frozen=True)
class AttachOrphan(LeafStep):
    """A table in `dwh_parts` that belongs to its parent and is within retention."""

    kind = "attach"
    sign = "+"

    @property
    def what(self) -> str:
        proof = "" if self.leaf.proven else ", once its rows are seen to be of these days"
        return f"attach {self.leaf.name} for {self.leaf.span}{proof}"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}"

    def change(self, table: Table) -> Table:
        built = (replace(index, valid=True) for index in missing_indexes(self.policy, table, self.leaf))
        leaf = replace(self.leaf, proven=True, indexes=(*self.leaf.indexes, *built))
        return replace(table, orphans=removed(table.orphans, self.leaf), leaves=inserted(table.leaves, leaf))
