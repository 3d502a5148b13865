"""Steps by which leaves come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from partitions.bounds import check_clause, check_name, partition_clause
from partitions.catalog import Leaf, Table
from partitions.grain import Span
from partitions.indexes import WantedIndex, expected_indexes, missing_indexes, plain_btree
from partitions.leaves import (
    LEAF_SCHEMA,
    Statement,
    attach_statement,
    attachment,
    creation,
    lock_parent,
    parent_of,
    staged,
)
from partitions.policy import Policy
from partitions.steps.step import LeafStep, Step, inserted, name_of, removed
from warehouse.connection import sql


@dataclass(frozen=True)
class CreateLeaf(Step):
    """A leaf without rows: created aside, indexed, analysed, attached in one transaction: a kill leaves nothing."""

    kind = "create"
    together = True
    sign = "+"
    span: Span
    table: Table

    @property
    def subject(self) -> str:
        return self.span.leaf_of(self.policy.name)

    @property
    def what(self) -> str:
        return f"create {self.subject} for {self.span}, and attach it"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}"

    def statements(self, timezone: str) -> Sequence[Statement]:
        indexes = [
            WantedIndex(index.columns, index.unique, plain_btree(index.columns)).statement("staging", self.subject)
            for index in expected_indexes(self.policy, self.table)
        ]
        analyse = sql.SQL("ANALYZE {}").format(staged(self.policy, self.span))
        return [
            *creation(self.policy, self.span, timezone),
            *indexes,
            analyse,
            *attachment(self.policy, self.span, timezone),
        ]

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
    together = True
    sign = "+"

    @property
    def what(self) -> str:
        proof = "" if self.leaf.proven else ", once its rows are seen to be of these days"
        return f"attach {self.leaf.name} for {self.leaf.span}{proof}"

    @property
    def lock(self) -> str:
        return f"SHARE UPDATE EXCLUSIVE on {self.policy.name}"

    def statements(self, timezone: str) -> Sequence[Statement]:
        span, leaf = self.leaf.span, name_of(self.leaf)
        assert span is not None
        check = sql.Identifier(check_name(self.leaf.name))
        prove = [
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID").format(
                leaf, check, check_clause(self.policy, span, timezone)
            ),
            sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(leaf, check),
            sql.SQL("ALTER TABLE {} ALTER {} SET NOT NULL").format(leaf, sql.Identifier(self.policy.key)),
        ]
        return [
            *prove,
            lock_parent(self.policy),
            attach_statement(parent_of(self.policy), leaf, partition_clause(self.policy, span, timezone)),
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, check),
        ]

    def change(self, table: Table) -> Table:
        built = (replace(index, valid=True) for index in missing_indexes(self.policy, table, self.leaf))
        leaf = replace(self.leaf, proven=True, indexes=(*self.leaf.indexes, *built))
        return replace(table, orphans=removed(table.orphans, self.leaf), leaves=inserted(table.leaves, leaf))
