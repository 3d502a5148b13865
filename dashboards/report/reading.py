"""What the report shows: rows of the views, how fresh they are, and what there is at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from dashboards.tiles import Specification, View
from warehouse.connection import sql
from warehouse.queries import query
from warehouse.snapshot import Reader, reader

SCHEMA = "dwh"
# Two years, a leap day included: what comparisons with a year before need, and a file that can be mailed.
DEFAULT_DAYS = 731
# Decimals travel as integers of this many to the unit: NUMERIC would come as text.
UNIT = 10_000


@dataclass(frozen=True)
class Freshness:
    """Of the views that the report reads; `refreshed_at` is the oldest, None if one was never refreshed."""

    refreshed_at: datetime | None
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What was read: rows by view, decimals as integers of 1/10,000, and from which day to which."""

    since: date | None
    until: date | None
    rows: Mapping[str, pl.DataFrame]
    present: Mapping[str, bool]
    freshness: Freshness
    read_at: datetime


def read(url: str, spec: Specification, since: date | None, until: date | None) -> Found:
    """Read what the tiles need, at one moment. Without days: the two years up to the newest.

    Raises:
        TransientTargetError: the server is away.
        TargetError: a query failed.
    """
    with reader(url) as one:
        # The driver has begun a transaction already, and asked something in it.
        one.execute("COMMIT")
        one.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        newest = one.read(query("report/newest_day")).item()
        last = until or newest
        first = since or (last - timedelta(days=DEFAULT_DAYS - 1) if last else None)
        shown = [view for view in spec.views.values() if any(tile.view == view.name for _, tile in spec.tiles)]
        rows = {view.name: _rows(one, spec, view, first, last) for view in shown}
        present = one.read(query("report/presence")).row(0, named=True)
        fresh = one.read(query("report/freshness")).filter(pl.col("view_name").is_in(list(rows)))
    days = rows["v_activity_by_day"]["full_date"]
    return Found(
        # Days without a transaction at either end would only make an empty axis.
        since=since or days.min() or first,  # type: ignore[arg-type]
        until=last,
        rows=rows,
        present={name: bool(value) for name, value in present.items()},
        freshness=_freshness(fresh),
        read_at=datetime.now(UTC),
    )


def needed(spec: Specification, view: View) -> list[str]:
    """Columns of a view that some tile or filter needs, in the order of the view."""
    used = {one for _, tile in spec.tiles if tile.view == view.name for one in tile.used} | set(view.filters.values())
    if view.currency != "none":
        used.add("currency_code")
    also = {other for one in used for other in (spec.columns[one].in_french, spec.columns[one].order) if other}
    if view.name == "mv_segment_migration":
        also |= {"from_as_of", "is_refit"}
    return [one for one in view.columns if one in used | also]


def _rows(one: Reader, spec: Specification, view: View, first: date | None, last: date | None) -> pl.DataFrame:
    columns = needed(spec, view)
    chosen = sql.SQL(", ").join(_expression(spec, name) for name in columns)
    # A segmentation is of the days before it, and one of before the period still tells of clients.
    bounds = {"day": (first, last), "month": (first and first.replace(day=1), last)}.get(view.holds, (None, None))
    limits = [
        sql.SQL("{} {} {}").format(sql.Identifier(view.date), sql.SQL(sign), sql.Literal(day))
        for sign, day in ((">=", bounds[0]), ("<=", bounds[1]))
        if day is not None
    ]
    # Sorted by what is the same for long: it packs well.
    order = [*(name for name in columns if spec.columns[name].type == "text"), view.date]
    statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        chosen,
        sql.Identifier(SCHEMA, view.name),
        sql.SQL(" AND ").join([sql.SQL("true"), *limits]),
        sql.SQL(", ").join(map(sql.Identifier, order)),
    )
    return one.read(statement.as_string())


def _expression(spec: Specification, name: str) -> sql.Composable:
    kind, column = spec.columns[name].type, sql.Identifier(name)
    if kind in ("amount", "number"):
        return sql.SQL("round({0}::numeric * {1})::bigint AS {0}").format(column, sql.Literal(UNIT))
    if kind == "integer":
        return sql.SQL("{0}::bigint AS {0}").format(column)
    return column


def _freshness(rows: pl.DataFrame) -> Freshness:
    moments = rows["refreshed_at"]
    oldest = None if moments.null_count() or rows.is_empty() else moments.min()
    return Freshness(oldest, tuple(rows.filter(pl.col("is_stale"))["view_name"]))  # type: ignore[arg-type]
