"""A table made by hand, or detached long ago, becomes a leaf."""

import json
from collections.abc import Sequence
from datetime import date

from partitions.bounds import partition_clause
from partitions.catalog import Table, read_catalog
from partitions.columns import Column, columns_of
from partitions.grain import Grain, Span
from partitions.indexes import WantedIndex, wanted_indexes
from partitions.keys import keys_of, require_days
from partitions.leaves import (
    LEAF_SCHEMA,
    Statement,
    attach_statement,
    attached,
    execute_all,
    lock_parent,
    parent_of,
    plain_name,
)
from partitions.policy import Policy
from partitions.turns import in_turns
from partitions.twin import ADOPTING, prove, revoking
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import NothingToDoError, TargetError
from warehouse.queries import query

_KINDS = {
    "f": "a foreign table: it can have no unique index; copy its rows into an ordinary table",
    "p": "partitioned itself: adopt its leaves one by one",
    "v": "a view",
    "m": "a materialized view",
}


def adopt_leaf(url: str, policy: Policy, source: str, timezone: str) -> str:
    """Attach a table whose rows lie within one leaf's days; return the leaf's name. `source` has its schema.

    Its rows are read once, while everybody goes on: for the CHECK that spares the scan under the lock. Indexes that it
    lacks are built before. Rights on it go: they stand on the parent.

    Raises:
        NothingToDoError: it is a leaf of the table already.
        TargetError: columns or rows do not fit, each difference named; or it is no ordinary table.
        TransientTargetError: locks were not had, or the database is away.
    """
    with connect(url, application=f"cauri adopt {policy.name}") as connection, translated():
        table, span = examined(connection, policy, source, timezone)
        prove(connection, policy, table, span, timezone)
        for index in _missing(connection, policy, table):
            _build(connection, table, index)
        for turn in in_turns(connection, [parent_of(policy), table]):
            with turn:
                _attach(connection, policy, table, span, timezone)
        return plain_name(attached(policy, span))


def examined(connection: Connection, policy: Policy, source: str, timezone: str) -> tuple[sql.Identifier, Span]:
    """The table, and the days of the leaf that it can become; the errors of `adopt_leaf`."""
    table = sql.Identifier(*source.split("."))
    _require_ordinary(connection, policy, source, table)
    parent = read_catalog(connection, [policy], timezone).tables[policy.name]
    _require_parent(policy, parent)
    _require_columns(source, columns_of(connection, parent_of(policy)), columns_of(connection, table))
    keys = keys_of(connection, policy, table, timezone)
    require_days(source, keys)
    span = free_span(policy, parent, keys.days, source)
    _require_free_name(connection, attached(policy, span), table)
    return table, span


def _require_ordinary(connection: Connection, policy: Policy, source: str, table: sql.Identifier) -> None:
    row = connection.execute(query("adopt/table"), (table.as_string(),)).fetchone()
    if row is None:
        raise TargetError(f"there is no table {source}", remedy="give its name with its schema")
    kind, is_leaf, *_ = row
    if is_leaf:
        parent = connection.execute(
            "SELECT inhparent::regclass = to_regclass(%s) FROM pg_inherits WHERE inhrelid = to_regclass(%s)",
            (parent_of(policy).as_string(), table.as_string()),
        ).fetchone()
        if parent == (True,):
            raise NothingToDoError(f"{source} is a leaf of {policy.name} already")
        raise TargetError(f"{source} is a leaf of another table", remedy="detach it first")
    if kind != "r":
        raise TargetError(f"{source} is {_KINDS.get(kind, 'not a table')}", remedy="only an ordinary table is adopted")


def _require_parent(policy: Policy, parent: Table) -> None:
    if not parent.exists:
        raise TargetError(
            f"{policy.name} is not partitioned", remedy=f"run cauri partitions adopt {policy.table} first"
        )
    if parent.default is not None:
        raise TargetError(
            f"{policy.name} has a DEFAULT partition, {parent.default.qualified}: it would be scanned under a lock",
            remedy=f"run cauri partitions rescue {policy.table} first",
        )


def _require_columns(source: str, wanted: Sequence[Column], found: Sequence[Column]) -> None:
    there = {column.name: column for column in found}
    differences = [text for column in wanted for text in _differences(column, there.get(column.name))]
    names = {column.name for column in wanted}
    differences += [f"{column.name} is not a column of the parent" for column in found if column.name not in names]
    if differences:
        raise TargetError(
            f"the columns of {source} differ, {len(differences)} time(s): {'; '.join(differences)}",
            remedy="change the table so that each column is like the parent's; their order does not matter",
            differences=differences,
        )


def _differences(wanted: Column, found: Column | None) -> list[str]:
    if found is None:
        return [f"{wanted.name} is missing"]
    told = []
    if found.declared != wanted.declared:
        told.append(f"{wanted.name} is {found.declared}, not {wanted.declared}")
    if found.collation != wanted.collation:
        told.append(f"{wanted.name} has collation {found.collation}, not {wanted.collation}")
    if wanted.not_null and not found.not_null:
        told.append(f"{wanted.name} allows NULL")
    if found.generated != wanted.generated:
        told.append(f"{wanted.name} is {'' if found.generated else 'not '}generated")
    if found.identity:
        told.append(f"{wanted.name} is an identity column")
    return told


def free_span(policy: Policy, table: Table, days: tuple[date, date] | None, source: str) -> Span:
    """The shortest unit, from the policy's grain upwards, that holds all days and overlaps no leaf.

    Raises:
        TargetError: there is none, or the table is empty.
    """
    if days is None:
        raise TargetError(f"{source} has no rows: nothing says which leaf it is", remedy="drop it")
    grains = list(Grain)
    units = [grain.span_of(days[0]) for grain in grains[grains.index(policy.grain) :]]
    overlapping = ""
    for unit in units:
        if days[1] < unit.end:
            taken = next((leaf for leaf in table.leaves if leaf.span is None or leaf.span.overlaps(unit)), None)
            if taken is None:
                return unit
            overlapping = f", and the leaf {taken.name} has some of those days"
    raise TargetError(
        f"{source} has rows from {days[0]} to {days[1]}: they fit no free leaf{overlapping}",
        remedy="divide it into a table a leaf, or insert its rows into the parent",
    )


def _require_free_name(connection: Connection, leaf: sql.Identifier, table: sql.Identifier) -> None:
    taken = connection.execute("SELECT to_regclass(%s)", (leaf.as_string(),)).fetchone() != (None,)
    if taken and leaf.as_string() != table.as_string():
        raise TargetError(f"{plain_name(leaf)} exists already", remedy="rename or drop it, or adopt that one")


def _missing(connection: Connection, policy: Policy, table: sql.Identifier) -> list[WantedIndex]:
    # Indexes whose building was interrupted are of no use to anyone.
    for schema, name in connection.execute(query("adopt/broken_indexes"), (table.as_string(),)).fetchall():
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(schema, name)))
    return lacking(connection, policy, table)


def lacking(connection: Connection, policy: Policy, table: sql.Identifier) -> list[WantedIndex]:
    """Indexes of a leaf that a table has not yet."""
    rows = connection.execute(query("partitions/parent_indexes"), (table.as_string(),)).fetchall()
    there = {(tuple(columns), unique) for _, columns, unique, *_ in rows}
    return [index for index in wanted_indexes(connection, policy) if (index.columns, index.unique) not in there]


def building(table: sql.Identifier, index: WantedIndex) -> sql.Composed:
    """The SQL that builds an index on the table."""
    schema, name = plain_name(table).split(".")
    # A primary key cannot be added concurrently; nobody but the table's own readers waits for it.
    return index.statement(schema, name, concurrently=index.constraint is None)


def _build(connection: Connection, table: sql.Identifier, index: WantedIndex) -> None:
    if index.constraint is None:
        connection.execute(building(table, index))
        return
    for turn in in_turns(connection, [table]):
        with turn:
            connection.execute(building(table, index))


def attaching(
    connection: Connection, policy: Policy, table: sql.Identifier, span: Span, timezone: str
) -> list[Statement]:
    """The SQL by which a table that was proven to fit becomes a leaf. `connection` is asked for rights on it."""
    leaf = attached(policy, span)
    schema, name = plain_name(table).split(".")
    statements: list[Statement] = [lock_parent(policy), *revoking(connection, table)]
    if schema != LEAF_SCHEMA:
        statements.append(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(table, sql.Identifier(LEAF_SCHEMA)))
    if name != span.leaf_of(policy.name):
        statements.append(
            sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                sql.Identifier(LEAF_SCHEMA, name), sql.Identifier(span.leaf_of(policy.name))
            )
        )
    return [
        *statements,
        attach_statement(parent_of(policy), leaf, partition_clause(policy, span, timezone)),
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, ADOPTING),
    ]


def _attach(connection: Connection, policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> None:
    execute_all(connection, attaching(connection, policy, table, span, timezone))
    changed = ("adopt", policy.name, [plain_name(table)], [plain_name(attached(policy, span))], None, json.dumps(None))
    connection.execute(query("replace/record"), changed)
