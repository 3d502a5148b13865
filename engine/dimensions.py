"""Step 4, Dimensions: members are added and changed before any fact is loaded, so that every key exists."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from engine.outcomes import Outcomes
from warehouse.connection import Connection, sql


@dataclass(frozen=True)
class SmallDimension:
    """A dimension that is updated in place by natural key: its feed's columns, natural key first."""

    table: str
    key: str
    columns: tuple[str, ...]
    has_inferred: bool

    @property
    def natural(self) -> str:
        return self.columns[0]


SMALL = {
    "services": SmallDimension(
        "dim_service", "service_key", ("service_id", "service_name", "category", "commission_rate", "is_active"), False
    ),
    "channels": SmallDimension("dim_channel", "channel_key", ("channel_code", "channel_name"), True),
    "locations": SmallDimension(
        "dim_location",
        "location_key",
        ("location_code", "city", "region", "country_code", "latitude", "longitude"),
        True,
    ),
}


def with_defaults(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Members as they are stored: columns of the dimension, absent values replaced by their declared defaults."""
    if feed == "services":
        rows = rows.with_columns(
            pl.col("category").fill_null("UNKNOWN"),
            pl.col("commission_rate").fill_null(0.0),
            pl.col("is_active").fill_null(value=True),
        )
    return rows.select(*SMALL[feed].columns)


def upsert(connection: Connection, feed: str, files: Sequence[tuple[Outcomes, pl.DataFrame]]) -> None:
    """Bring a small dimension up to date, file by file in order, counting what became of each row."""
    dimension = SMALL[feed]
    stored = _members(connection, dimension)
    next_key = max((key for key, _, _ in stored.values()), default=0) + 1
    before = dict(stored)
    for outcomes, rows in files:
        for values in with_defaults(feed, rows).iter_rows():
            known = stored.get(values[0])
            if known is None:
                stored[values[0]] = (next_key, values, False)
                next_key += 1
                outcomes.loaded += 1
            elif known[1] == values and not known[2]:
                outcomes.repeated += 1
            else:
                stored[values[0]] = (known[0], values, False)
                outcomes.updated += 1
    changed = [
        (key, values, inferred) for name, (key, values, inferred) in stored.items() if before.get(name) != stored[name]
    ]
    _write(connection, dimension, changed)


def infer(connection: Connection, feed: str, codes: pl.Series) -> dict[str, int]:
    """Create inferred members for codes that only facts know; return natural key -> surrogate key of all members."""
    dimension = SMALL[feed]
    stored = _members(connection, dimension)
    missing = sorted(set(codes.drop_nulls()) - set(stored))
    next_key = max((key for key, _, _ in stored.values()), default=0) + 1
    blank: tuple[object, ...] = (None,) * (len(dimension.columns) - 2)
    second = (lambda code: code) if feed == "channels" else (lambda code: None)
    rows = [(next_key + n, (code, second(code), *blank), True) for n, code in enumerate(missing)]
    _write(connection, dimension, rows)
    return {name: key for name, (key, _, _) in stored.items()} | {str(row[1][0]): row[0] for row in rows}


_Member = tuple[int, tuple[object, ...], bool]


def _members(connection: Connection, dimension: SmallDimension) -> dict[str, _Member]:
    # Rates are numeric in the table; as float they compare with those of the file.
    columns = [
        sql.SQL("{}::float8").format(sql.Identifier(name)) if name == "commission_rate" else sql.Identifier(name)
        for name in dimension.columns
    ]
    inferred = sql.Identifier("is_inferred") if dimension.has_inferred else sql.SQL("false")
    rows = connection.execute(
        sql.SQL("SELECT {key}, {inferred}, {columns} FROM dwh.{table}").format(
            key=sql.Identifier(dimension.key),
            inferred=inferred,
            columns=sql.SQL(", ").join(columns),
            table=sql.Identifier(dimension.table),
        )
    ).fetchall()
    return {row[2]: (row[0], tuple(row[2:]), row[1]) for row in rows}


def _write(connection: Connection, dimension: SmallDimension, rows: list[_Member]) -> None:
    names = [dimension.key, *dimension.columns, *(["is_inferred"] if dimension.has_inferred else [])]
    statement = sql.SQL(
        "INSERT INTO dwh.{table} ({names}) VALUES ({values}) ON CONFLICT ({natural}) DO UPDATE SET {changes}"
    ).format(
        table=sql.Identifier(dimension.table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(sql.Placeholder() * len(names)),
        natural=sql.Identifier(dimension.natural),
        changes=sql.SQL(", ").join(
            sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name)) for name in names[2:]
        ),
    )
    values = [(key, *member, *([inferred] if dimension.has_inferred else [])) for key, member, inferred in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
