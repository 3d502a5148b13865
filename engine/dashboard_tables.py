"""The tables that dashboards rest on, from facts, cells, labels, scores and segments: days, a month, a segmentation.

What computes them is given the tables to write to, so that `refresh --verify` can compute them once more beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import LiteralString

from partitions.grain import date_key
from warehouse.connection import Connection, sql
from warehouse.queries import query

# Table -> the query that computes it.
BY_DAY: dict[str, LiteralString] = {
    "activity_day": "dashboards/activity_day",
    "activity_hour": "dashboards/activity_hour",
    "processing_day": "dashboards/processing_day",
}
CASES = "fraud_case"
BY_MONTH: dict[str, LiteralString] = {
    "active_month": "dashboards/active_month",
    "client_month": "dashboards/client_month",
}
OF_SEGMENTS = ("segment_day", "segment_move")
NAMES = (*BY_DAY, CASES, *BY_MONTH, *OF_SEGMENTS)


@dataclass(frozen=True)
class DashboardTables:
    """A place in which the tables stand: a schema of the warehouse, or that of temporary tables."""

    schema: str = "dwh"

    def identifier(self, name: str) -> sql.Identifier:
        """A table."""
        return sql.Identifier(self.schema, name)

    def into(self, name: LiteralString) -> sql.Composed:
        """A named query that writes to these tables."""
        return sql.SQL(query(name)).format(**{table: self.identifier(table) for table in NAMES})


STORED = DashboardTables()


def compute_days(connection: Connection, tables: DashboardTables, days: Sequence[int]) -> None:
    """Rows of days (`date_key`) of one month, from facts and cells."""
    for name in BY_DAY.values():
        connection.execute(tables.into(name), {"days": list(days)})


def compute_cases(connection: Connection, tables: DashboardTables, days: Sequence[int]) -> None:
    """Cases of days (`date_key`) of one month, in the place of those of the same transactions."""
    connection.execute(query("dashboards/stage_cases"))
    connection.execute(query("dashboards/find_cases_of_days"), {"days": list(days)})
    make_staged_cases(connection, tables)


def renew_cases_of_labels(connection: Connection) -> bool:
    """Cases of new labels, which do not tell their days; whether there were any."""
    connection.execute(query("dashboards/stage_cases"))
    connection.execute(query("dashboards/stage_changed_labels"))
    connection.execute("ANALYZE changed_label")
    found = connection.execute(query("dashboards/find_cases_of_labels")).rowcount
    make_staged_cases(connection, STORED)
    return found > 0


def make_staged_cases(connection: Connection, tables: DashboardTables) -> None:
    """Cases of the transactions in `case_id`, which is dropped."""
    connection.execute("ANALYZE case_id")
    connection.execute(tables.into("dashboards/delete_cases"))
    dense = connection.execute(query("dashboards/days_read_whole")).fetchone()
    if dense:
        connection.execute(tables.into("dashboards/make_cases_of_days"), {"days": dense[0]})
    else:
        connection.execute(tables.into("dashboards/make_cases"))
    connection.execute("DROP TABLE case_id")


def compute_month(connection: Connection, tables: DashboardTables, month: date) -> None:
    """Rows of a whole month, given by its first day, from its cells."""
    values = {"month": month, "first": date_key(month), "end": date_key(month_after(month))}
    for name in BY_MONTH.values():
        connection.execute(tables.into(name), values)


def compute_segmentation(connection: Connection, tables: DashboardTables, as_of: date, before: date | None) -> None:
    """Rows of a day of segmentation; `before` is the one that it followed."""
    since = _year_before(as_of)
    values = {
        "as_of": as_of,
        "since": date_key(since),
        "until": date_key(as_of),
        "first_month": since if since.day == 1 else month_after(since),
        "end_month": as_of.replace(day=1),
    }
    connection.execute(tables.into("dashboards/segment_day"), values)
    if before is not None:
        connection.execute(tables.into("dashboards/segment_move"), {"as_of": as_of, "before": before})


def month_after(day: date) -> date:
    """The first of the month after that of a day."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _year_before(day: date) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)
