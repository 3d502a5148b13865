"""Whether the tables of dashboards are what they are made of: everything is computed beside, and compared."""

from datetime import date, timedelta
from itertools import pairwise

from engine.dashboard_tables import (
    NAMES,
    STORED,
    DashboardTables,
    compute_cases,
    compute_days,
    compute_month,
    compute_segmentation,
    month_after,
)
from engine.stale import segmentations
from partitions.grain import date_key, day_of
from warehouse.connection import Connection, sql
from warehouse.queries import query

COMPUTED = DashboardTables("pg_temp")


def differing_tables(connection: Connection) -> dict[str, int]:
    """Rows by which each table differs from what is computed now, by its name."""
    with connection.transaction():
        for name in NAMES:
            like = sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {}) ON COMMIT DROP")
            connection.execute(like.format(sql.Identifier(name), STORED.identifier(name)))
        for month in _months(connection):
            compute_days(connection, COMPUTED, _days_of(month))
            compute_cases(connection, COMPUTED, _days_of(month))
            compute_month(connection, COMPUTED, month)
        known = segmentations(connection)
        for before, as_of in pairwise([None, *known]):
            if as_of is not None:
                compute_segmentation(connection, COMPUTED, as_of, before)
        return {name: _differing(connection, name) for name in NAMES}


def _differing(connection: Connection, name: str) -> int:
    parts = {
        "stored": STORED.identifier(name),
        "computed": COMPUTED.identifier(name),
    }
    row = connection.execute(sql.SQL(query("verify/table_differs")).format(**parts)).fetchone()
    assert row is not None
    return int(row[0])


def _months(connection: Connection) -> list[date]:
    row = connection.execute(query("verify/days")).fetchone()
    if row is None or row[0] is None:
        return []
    months = [day_of(row[0]).replace(day=1)]
    while months[-1] < day_of(row[1]).replace(day=1):
        months.append(month_after(months[-1]))
    return months


def _days_of(month: date) -> list[int]:
    return [date_key(month + timedelta(days=day)) for day in range((month_after(month) - month).days)]
