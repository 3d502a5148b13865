"""The indexes that each leaf of a table has: those of its policy, and those of its parent."""

import hashlib
import re
from dataclasses import dataclass

from partitions.catalog import Index, Leaf, Table
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.queries import query

_LONGEST_IDENTIFIER = 63

# Names that REINDEX CONCURRENTLY gives to what it builds, and to what it replaced.
_INTERRUPTED = re.compile(r"_cc(new|old)\d*$")


@dataclass(frozen=True)
class WantedIndex:
    """An index that a leaf should have. `method` is what follows USING; a `constraint` brings its own index along."""

    columns: tuple[str, ...]
    unique: bool
    method: str
    constraint: str | None = None

    def statement(self, schema: str, leaf: str, *, concurrently: bool = False) -> sql.Composed:
        """The SQL that builds it on a leaf."""
        table, name = sql.Identifier(schema, leaf), sql.Identifier(index_name(leaf, self.columns))
        if self.constraint is not None:
            return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(table, name, from_catalog(self.constraint))
        return sql.SQL("CREATE {unique}INDEX {concurrently}{name} ON {table} USING {method}").format(
            unique=sql.SQL("UNIQUE " if self.unique else ""),
            concurrently=sql.SQL("CONCURRENTLY " if concurrently else ""),
            name=name,
            table=table,
            method=from_catalog(self.method),
        )


def from_catalog(text: str) -> sql.SQL:
    """A piece of SQL that PostgreSQL itself printed, names quoted."""
    return sql.SQL(text)


def index_name(leaf: str, columns: tuple[str, ...]) -> str:
    """Name of an index of a leaf; one that PostgreSQL would cut ends in a digest instead, so that no two are equal."""
    name = f"{leaf}_{'_'.join(column.removesuffix('_key') for column in columns)}"
    if len(name.encode()) <= _LONGEST_IDENTIFIER:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_IDENTIFIER - 9]}_{digest}"


def expected_indexes(policy: Policy, table: Table) -> tuple[Index, ...]:
    """What each leaf needs, as the catalog tells it: the unique indexes of the policy, and all of the parent."""
    there = {index.columns for index in table.indexes if index.unique}
    own = [Index("_".join(columns), columns, unique=True) for columns in policy.unique if columns not in there]
    return (*own, *table.indexes)


def same_index(one: Index, other: Index) -> bool:
    """Whether two indexes serve for the same, whatever their names."""
    return (one.columns, one.unique, one.partial) == (other.columns, other.unique, other.partial)


def is_leftover(index: Index, leaf: Leaf) -> bool:
    """Whether an index that PostgreSQL may not use only stood in for another one."""
    twins = (other for other in leaf.indexes if other is not index and same_index(index, other))
    return not index.valid and (bool(_INTERRUPTED.search(index.name)) or any(twin.valid for twin in twins))


def missing_indexes(policy: Policy, table: Table, leaf: Leaf) -> list[Index]:
    """Indexes that a leaf should have and has not, not even one that can be rebuilt."""
    there = [index for index in leaf.indexes if not is_leftover(index, leaf)]
    return [
        wanted for wanted in expected_indexes(policy, table) if not any(same_index(wanted, index) for index in there)
    ]


def wanted_indexes(connection: Connection, policy: Policy) -> list[WantedIndex]:
    """What each leaf needs: the unique indexes of the policy first, then those of the parent."""
    found = [
        WantedIndex(tuple(columns), unique, method, constraint)
        for _, columns, unique, method, constraint, partitioned in connection.execute(
            query("partitions/parent_indexes"), (policy.name,)
        ).fetchall()
        # Unique ones of an ordinary table stay with it when it becomes a leaf: docs/decisions.md.
        if partitioned or not (unique or constraint)
    ]
    there = {(index.columns, index.unique) for index in found}
    own = [
        WantedIndex(columns, True, plain_btree(columns)) for columns in policy.unique if (columns, True) not in there
    ]
    return [*own, *found]


def building(connection: Connection, policy: Policy, leaf: Leaf, index: Index) -> list[sql.Composed]:
    """The SQL that builds one index on an attached leaf, as policy or parent define it, while everybody goes on."""
    wanted = (one for one in wanted_indexes(connection, policy) if one.columns == index.columns)
    # A constraint cannot be added concurrently; it takes a unique index as well.
    plain = (WantedIndex(one.columns, one.unique, one.method) for one in wanted if one.unique == index.unique)
    return [one.statement(leaf.schema, leaf.name, concurrently=True) for one in [*plain][:1]]


def index_statements(connection: Connection, policy: Policy, schema: str, leaf: str) -> list[sql.Composed]:
    """The SQL that builds all indexes of a leaf that is not attached yet, and its foreign keys."""
    indexes = [index.statement(schema, leaf) for index in wanted_indexes(connection, policy)]
    found = connection.execute(query("partitions/parent_references"), (policy.name,)).fetchall()
    return indexes + [
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
            sql.Identifier(schema, leaf), sql.Identifier(name), from_catalog(reference)
        )
        for name, reference in found
    ]


def plain_btree(columns: tuple[str, ...]) -> str:
    """What follows USING for an index on plain columns."""
    # Policies allow plain names only; quotes are for those that are words of SQL.
    quoted = ", ".join('"' + column + '"' for column in columns)
    return f"btree ({quoted})"
