"""Columns of a table, and control totals over them: what must be the same before and after rows are moved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from warehouse.connection import Connection, sql
from warehouse.queries import query

_NUMBERS = ("smallint", "integer", "bigint", "numeric")

# Types by whose equality the server can join, and whose equal values look alike but for their scale or case.
_JOINABLE = (*_NUMBERS, "text", "character varying", "date", "timestamp with time zone", "uuid", "bytea", "boolean")


@dataclass(frozen=True)
class Column:
    """A column as PostgreSQL describes it; `generated` and `identity` are empty where it is neither."""

    name: str
    type: str
    not_null: bool
    collation: str
    generated: str
    identity: str

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    @property
    def joinable(self) -> bool:
        """Whether two equal rows can be found by comparing this column with `=`."""
        return self.not_null and self.type.partition("(")[0] in _JOINABLE


@dataclass(frozen=True)
class Totals:
    """Rows, and by column the sum of numbers or of 64-bit hashes of anything else."""

    rows: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: "Totals") -> "Totals":
        names = {**self.sums, **other.sums}
        none = Decimal(0)
        return Totals(
            self.rows + other.rows, {name: self.sums.get(name, none) + other.sums.get(name, none) for name in names}
        )

    def to_json(self) -> dict[str, Any]:
        return {name: str(total) for name, total in self.sums.items()}


def columns_of(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """All columns of a table, in its order."""
    return tuple(Column(*row) for row in connection.execute(query("replace/columns"), (table.as_string(),)).fetchall())


def written_columns(connection: Connection, table: sql.Identifier) -> tuple[Column, ...]:
    """The columns that a writer gives values for."""
    return tuple(column for column in columns_of(connection, table) if not column.generated)


def plain_name(table: sql.Identifier) -> str:
    """A table's name with its schema, for people and the ledger."""
    return table.as_string().replace('"', "")


def bare_name(table: sql.Identifier) -> str:
    """A table's name without its schema."""
    return plain_name(table).rpartition(".")[2]


def listed(columns: Sequence[Column], prefix: str = "") -> sql.Composed:
    """Names joined by commas, each after `prefix` and a dot if there is one."""
    names = (sql.Identifier(*([prefix] if prefix else []), column.name) for column in columns)
    return sql.SQL(", ").join(names)


def control_totals(
    connection: Connection, source: sql.Composable, columns: Sequence[Column], *, weight: sql.Composable | None = None
) -> Totals:
    """Totals over `source` (what follows FROM). A row counts `weight` times, an integer expression; once without it."""
    times = weight or sql.SQL("1")
    sums = [sql.SQL("coalesce(sum({} * {}), 0)").format(times, _number(column)) for column in columns]
    rows = sql.SQL("coalesce(sum({}), 0)::bigint").format(times)
    statement = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join([rows, *sums]), source)
    row = connection.execute(statement).fetchone()
    assert row is not None
    return Totals(row[0], dict(zip((column.name for column in columns), row[1:], strict=True)))


def _number(column: Column) -> sql.Composed:
    if column.type.partition("(")[0] in _NUMBERS:
        return sql.SQL("{}::numeric").format(column.identifier)
    return sql.SQL("hashtextextended({}::text, 0)::numeric").format(column.identifier)
