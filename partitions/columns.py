"""Columns of a table, and the forms in which their values survive a file exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.connection import Connection, sql
from warehouse.errors import TargetError
from warehouse.queries import query

# What each type is hashed as: PostgreSQL's number of the type and the bytes of a value, None where they vary.
WIRE: dict[str, tuple[int, int | None]] = {
    "smallint": (21, 2),
    "integer": (23, 4),
    "bigint": (20, 8),
    "real": (700, 4),
    "double precision": (701, 8),
    "boolean": (16, 1),
    "date": (1082, 4),
    "timestamp with time zone": (1184, 8),
    "text": (25, None),
    "bytea": (17, None),
}

# Their binary form says more than their value (bitmaps, spare digits), their text says exactly it.
AS_TEXT = frozenset({"numeric", "jsonb", "text[]"})

# Arrow has lists of its own; the others travel as text.
_READ_AS_TEXT = AS_TEXT - {"text[]"}

INTEGERS = frozenset({"smallint", "integer", "bigint"})

# By whose equality the server can join, and whose equal values look alike but for their scale or case.
_JOINABLE = INTEGERS | {
    *("numeric", "text", "character varying", "date", "timestamp with time zone", "uuid", "bytea", "boolean")
}


@dataclass(frozen=True)
class Column:
    """A column: its type with a modifier (`numeric(12,2)`) and without (`numeric`).

    `generated` and `identity` are as PostgreSQL codes them, empty where it is neither.
    """

    name: str
    declared: str
    type: str
    not_null: bool = False
    has_default: bool = False
    collation: str = ""
    generated: str = ""
    identity: str = ""

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    @property
    def spare(self) -> bool:
        """Whether a row may come without it."""
        return self.has_default or not self.not_null

    @property
    def joinable(self) -> bool:
        """Whether two equal rows can be found by comparing this column with `=`."""
        return self.not_null and self.type in _JOINABLE

    @property
    def is_summed(self) -> bool:
        return self.type in INTEGERS or self.type == "numeric"

    @property
    def hashed(self) -> sql.Composable:
        """The value in the form that is hashed."""
        return sql.SQL("{}::text").format(self.identifier) if self.type in AS_TEXT else self.identifier

    @property
    def read(self) -> sql.Composable:
        """The value in the form that goes into a file, under its own name."""
        if self.type in _READ_AS_TEXT:
            return sql.SQL("{0}::text AS {0}").format(self.identifier)
        return self.identifier


def columns_of(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """All columns of a table, in its order; none if there is no such table."""
    rows = connection.execute(query("partitions/columns"), (table.as_string(),)).fetchall()
    return tuple(Column(*row) for row in rows)


def written_columns(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """The columns that a writer gives values for."""
    return tuple(column for column in columns_of(connection, table) if not column.generated)


def archivable_columns(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """The columns that an archive holds, in their order.

    Raises:
        TargetError: there is no such table, or a column's type would not survive a file.
    """
    columns = written_columns(connection, table)
    if not columns:
        raise TargetError(f"there is no table {table.as_string()}", remedy="see cauri partitions list")
    if strange := [f"{column.name} ({column.declared})" for column in columns if not _is_known(column)]:
        raise TargetError(
            f"{table.as_string()} cannot be archived: {len(strange)} column(s) of unknown type: {', '.join(strange)}",
            remedy="docs/partitions.md lists the types; for other tables use at_end = keep, detach or drop",
        )
    return columns


def listed(columns: Sequence[Column], prefix: str = "") -> sql.Composed:
    """Names joined by commas, each after `prefix` and a dot if there is one."""
    names = (sql.Identifier(*([prefix] if prefix else []), column.name) for column in columns)
    return sql.SQL(", ").join(names)


def _is_known(column: Column) -> bool:
    return column.type in WIRE or column.type in AS_TEXT
