"""Whether the aggregates are what their facts give: everything is computed once more, and nothing is believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import LiteralString

import polars as pl

from engine.cells import CELL, cells
from engine.dashboard_verification import differing_tables
from partitions.grain import date_key, day_of
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.queries import query
from warehouse.snapshot import read_frame

# A stretch is held in memory: 1.5 million facts of a month take 100 MiB.
DAYS_AT_ONCE = 31


@dataclass(frozen=True)
class Verified:
    """Cells that were compared, and those that differ; rows by which a materialized view differs, by its name.

    `totals` are rows by which the totals of days differ from the cells, `tables` those by which the tables of
    dashboards differ from what they are made of.

    `differing`: `date_key`, `client_key`, `service_key`, `currency_key`, and `how`: missing, surplus or unequal.
    """

    cells: int
    differing: pl.DataFrame
    totals: int
    tables: dict[str, int]
    views: dict[str, int]

    @property
    def is_equal(self) -> bool:
        return self.differing.is_empty() and not self.totals and not any((*self.tables.values(), *self.views.values()))


def verify(connection: Connection, url: str) -> Verified:
    """Compare the daily summary with its facts, totals of days with it, tables of dashboards with all they are made of,
    and each materialized view with its definition.

    Raises:
        TransientTargetError: the server is away.
    """
    compared, differing = 0, [_compared(cells(_NO_FACTS), cells(_NO_FACTS))]
    for first, end in _stretches(connection):
        computed = cells(_read(url, "verify/facts", first, end))
        compared += computed.height
        differing.append(_compared(computed, _read(url, "verify/summary", first, end)))
    totals = connection.execute(query("verify/totals")).fetchone()
    assert totals is not None
    return Verified(
        compared, pl.concat(differing), totals[0], differing_tables(connection), differing_views(connection)
    )


_NO_FACTS = pl.DataFrame(
    schema={
        **dict.fromkeys(("client_key", "date_key", "beneficiary_key", "client_durable_key"), pl.Int32),
        **dict.fromkeys(("service_key", "currency_key", "status_key"), pl.Int16),
        **dict.fromkeys(("amount_minor", "commission_minor"), pl.Int64),
        **dict.fromkeys(("processing_ms", "anomaly_flags"), pl.Int32),
    }
)


def mark_differing(connection: Connection, verified: Verified, run_id: int) -> None:
    """Let the cells that differ be recomputed."""
    with connection.transaction():
        connection.execute(query("verify/stage"))
        marked = verified.differing.select("date_key", "client_key", "service_key")
        copy_frame(connection, sql.Identifier("differing_cell"), marked)
        connection.execute(query("verify/mark_dirty"), (run_id,))


def _stretches(connection: Connection) -> Iterator[tuple[date, date]]:
    row = connection.execute(query("verify/days")).fetchone()
    if row is None or row[0] is None:
        return
    first, last = day_of(row[0]), day_of(row[1])
    while first <= last:
        end = first + timedelta(days=DAYS_AT_ONCE)
        yield first, end
        first = end


def _read(url: str, name: LiteralString, first: date, end: date) -> pl.DataFrame:
    bounds = {"first": sql.Literal(date_key(first)), "end": sql.Literal(date_key(end))}
    return read_frame(url, sql.SQL(query(name)).format(**bounds).as_string(None))


def _compared(computed: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    figures = [name for name in computed.columns if name not in CELL]
    both = computed.with_columns(computed=True).join(
        stored.select(*CELL, *figures).with_columns(stored=True), on=CELL, how="full", coalesce=True, suffix="_stored"
    )
    unequal = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in figures)
    how = (
        pl.when(pl.col("stored").is_null())
        .then(pl.lit("missing"))
        .when(pl.col("computed").is_null())
        .then(pl.lit("surplus"))
        .otherwise(pl.lit("unequal"))
    )
    return both.filter(unequal).select(*CELL, how=how)


def differing_views(connection: Connection) -> dict[str, int]:
    """Rows by which each materialized view differs from what its definition gives now, by its name."""
    found = {}
    for name, definition in connection.execute(query("verify/views")).fetchall():
        parts = {"view": sql.Identifier("dwh", name), "definition": sql.SQL(definition.strip().rstrip(";"))}
        row = connection.execute(sql.SQL(query("verify/view_differs")).format(**parts)).fetchone()
        assert row is not None
        found[name] = int(row[0])
    return found
