"""Orphans come back: a loose table in `dwh_parts` becomes the leaf that it was."""

from partitions.bounds import check_clause, check_name, partition_clause, span_of_check
from partitions.catalog import Leaf, read_catalog
from partitions.indexes import missing_indexes, wanted_indexes
from partitions.leaves import Statement, attach_statement, lock_parent, parent_of
from partitions.policy import Policy
from warehouse.connection import Connection, sql


def reattaching(connection: Connection, policy: Policy, orphan: Leaf, timezone: str) -> list[Statement]:
    """The SQL that proves that the rows of an orphan are of its days, builds what indexes it lacks, and attaches it.

    `connection` is asked for indexes and constraints.
    """
    span, table = orphan.span, orphan.identifier
    assert span is not None
    check = sql.Identifier(check_name(orphan.name))
    return [
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID").format(
            table, check, check_clause(policy, span, timezone)
        ),
        sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(table, check),
        sql.SQL("ALTER TABLE {} ALTER {} SET NOT NULL").format(table, sql.Identifier(policy.key)),
        *_indexing(connection, policy, orphan, timezone),
        lock_parent(policy),
        attach_statement(parent_of(policy), table, partition_clause(policy, span, timezone)),
        *(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, name)
            for name in (check, *_checks(connection, policy, orphan, timezone))
        ),
    ]


def _indexing(connection: Connection, policy: Policy, orphan: Leaf, timezone: str) -> list[sql.Composed]:
    table = read_catalog(connection, [policy], timezone).tables[policy.name]
    now = next((leaf for leaf in table.orphans if leaf.name == orphan.name), orphan)
    missing = {(index.columns, index.unique) for index in missing_indexes(policy, table, now)}
    wanted = wanted_indexes(connection, policy)
    return [i.statement(orphan.schema, orphan.name) for i in wanted if (i.columns, i.unique) in missing]


def _checks(connection: Connection, policy: Policy, orphan: Leaf, timezone: str) -> list[sql.Identifier]:
    """Constraints that say no more than the bounds do, such as a detach leaves behind."""
    rows = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
        (orphan.identifier.as_string(),),
    ).fetchall()
    return [sql.Identifier(name) for name, text in rows if span_of_check(policy, text, timezone)]
