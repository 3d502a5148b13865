"""What proves that two sets of rows are the same: count, exact sums, and a digest that knows no order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from partitions.columns import Column
from warehouse.connection import Connection, sql

# Adds without rounding, and NaN and infinities as PostgreSQL does.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

# How a row becomes a number: its columns by name, in binary form, hashed; the first 64 bits of that, signed.
_DIGEST = "sum(('x' || encode(substr(sha256(record_send(ROW({}))), 1, 8), 'hex'))::bit(64)::bigint)"


@dataclass(frozen=True)
class Fingerprint:
    """Of a table, a file, or a part of one. Fingerprints of parts add up to that of the whole.

    `sums` holds each integer and numeric column; `digest` the sum of a 64-bit hash of each row.
    """

    rows: int = 0
    digest: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        names = self.sums | other.sums
        sums = {name: exact_sum((self.sums.get(name), other.sums.get(name))) for name in names}
        return Fingerprint(self.rows + other.rows, self.digest + other.digest, sums)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fingerprint):
            return NotImplemented
        # By their text: NaN, which a sum may be, equals nothing, not even itself.
        return (self.rows, self.digest, self.texts) == (other.rows, other.digest, other.texts)

    def __hash__(self) -> int:
        return hash((self.rows, self.digest))

    @property
    def texts(self) -> dict[str, str]:
        """The sums as text, all of their digits."""
        return {name: format(value, "f") for name, value in sorted(self.sums.items())}

    def difference(self, other: "Fingerprint") -> str:
        """What differs between two, for a message: rows, then sums, then the digest."""
        if self.rows != other.rows:
            return f"{self.rows:,} rows against {other.rows:,}"
        names = sorted(name for name in self.texts | other.texts if self.texts.get(name) != other.texts.get(name))
        return f"sum of {', '.join(names)}" if names else "same rows and sums, another digest"


def exact_sum(values: Sequence[Decimal | None]) -> Decimal:
    """The sum without rounding; None counts as nothing."""
    total = Decimal(0)
    for value in values:
        if value is not None:
            total = _EXACT.add(total, value)
    return total


def measure(connection: Connection, table: sql.Identifier, columns: Sequence[Column]) -> Fingerprint:
    """The fingerprint of a table's rows, computed by PostgreSQL in one scan, in the caller's transaction."""
    connection.execute("SET LOCAL client_encoding = 'UTF8'")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        # Parallel workers speak the encoding of the database, whatever their leader does.
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    row = connection.execute(measuring(table, columns)).fetchone()
    assert row is not None
    summed = (column.name for column in columns if column.is_summed)
    return Fingerprint(int(row[0]), int(row[1]), dict(zip(summed, map(Decimal, row[2:]), strict=True)))


def measuring(table: sql.Identifier, columns: Sequence[Column]) -> sql.Composed:
    """The SQL of `measure`."""
    parts = [
        sql.SQL("count(*)"),
        sql.SQL("coalesce({}, 0)").format(_digest(columns)),
        *(sql.SQL("coalesce(sum({}), 0)::text").format(column.identifier) for column in columns if column.is_summed),
    ]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), table)


def by_name(columns: Sequence[Column]) -> list[Column]:
    """The order in which a row's columns are hashed: a leaf and its parent may have them in another."""
    return sorted(columns, key=lambda column: column.name)


def _digest(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(_DIGEST).format(sql.SQL(", ").join(column.hashed for column in by_name(columns)))
