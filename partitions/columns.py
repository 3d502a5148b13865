"""Columns of a leaf and the forms in which their values survive a file exactly."""

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


@dataclass(frozen=True)
class Column:
    """A column: its type with a modifier (`numeric(12,2)`) and without (`numeric`).

    `spare`: a row may come without it, because it may be NULL or has a default. That is no part of what it is.
    """

    name: str
    declared: str
    type: str
    spare: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

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

    @property
    def is_summed(self) -> bool:
        return self.type in INTEGERS or self.type == "numeric"


def columns_of(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """Columns of a table in their order, without generated ones.

    Raises:
        TargetError: there is no such table, or a column's type would not survive a file.
    """
    rows = connection.execute(query("archive/columns"), (table.as_string(),)).fetchall()
    columns = tuple(Column(*row) for row in rows)
    if not columns:
        raise TargetError(f"there is no table {table.as_string()}", remedy="see cauri partitions list")
    if strange := [f"{column.name} ({column.declared})" for column in columns if not _is_known(column)]:
        raise TargetError(
            f"{table.as_string()} cannot be archived: {len(strange)} column(s) of unknown type: {', '.join(strange)}",
            remedy="docs/partitions.md lists the types; for other tables use at_end = keep, detach or drop",
        )
    return columns


def _is_known(column: Column) -> bool:
    return column.type in WIRE or column.type in AS_TEXT
