"""Control totals: what must be the same before and after rows are moved, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from partitions.columns import Column
from warehouse.connection import Connection, sql


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


def control_totals(connection: Connection, statement: sql.Composed, columns: Sequence[Column]) -> Totals:
    """The totals that a statement of `totalled` finds."""
    row = connection.execute(statement).fetchone()
    assert row is not None
    return Totals(row[0], dict(zip((column.name for column in columns), row[1:], strict=True)))


def totalled(
    source: sql.Composable, columns: Sequence[Column], *, weight: sql.Composable | None = None
) -> sql.Composed:
    """Totals over `source` (what follows FROM). A row counts `weight` times, an integer expression; once without it."""
    times = weight or sql.SQL("1")
    sums = [sql.SQL("coalesce(sum({} * {}), 0)").format(times, _number(column)) for column in columns]
    rows = sql.SQL("coalesce(sum({}), 0)::bigint").format(times)
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join([rows, *sums]), source)


def _number(column: Column) -> sql.Composed:
    if column.is_summed:
        return sql.SQL("{}::numeric").format(column.identifier)
    return sql.SQL("hashtextextended({}::text, 0)::numeric").format(column.identifier)
