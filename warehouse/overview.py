"""What the warehouse holds and who is at work in it, in a few figures."""

from typing import Any

from warehouse.connection import Connection
from warehouse.lock import WRITER_LOCK
from warehouse.queries import query


def overview(connection: Connection) -> dict[str, Any]:
    """Last runs, the writer, files, leaves, rows of each table, quarantine, and how fresh it all and each view is."""
    return {
        "runs": rows_of(connection, "status/runs", lock=WRITER_LOCK),
        "writer": writer(connection),
        "files": rows_of(connection, "status/files"),
        "leaves": rows_of(connection, "status/leaves"),
        "tables": rows_of(connection, "status/tables"),
        "quarantine": rows_of(connection, "quarantine/counts_by_reason"),
        "freshness": rows_of(connection, "status/freshness")[0],
        "dashboards": rows_of(connection, "status/dashboards"),
    }


def writer(connection: Connection) -> dict[str, Any] | None:
    """Who holds the writer lock: session, run and lease; None if nobody writes."""
    found = rows_of(connection, "vitals/writer", lock=WRITER_LOCK)
    return found[0] if found else None


def killed_runs(connection: Connection) -> list[dict[str, Any]]:
    """Runs that were killed and whose work nobody has done since."""
    return rows_of(connection, "vitals/killed_runs", lock=WRITER_LOCK)


def vitals(connection: Connection) -> dict[str, Any]:
    """What metrics tell: ends of runs, the last good run with its summary, freshness, sizes, what is left to do."""
    last = rows_of(connection, "vitals/last_run")
    freshness = rows_of(connection, "status/freshness")[0]
    return {
        "last_runs": rows_of(connection, "vitals/last_runs"),
        "last_run": last[0] if last else None,
        "freshness": freshness,
        "tables": rows_of(connection, "status/leaves"),
        "dirty_cells": freshness["dirty_cells"],
        "quarantine_open": rows_of(connection, "vitals/open_rows")[0]["rows"],
    }


def rows_of(connection: Connection, name: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a named query, by the names of its columns."""
    cursor = connection.execute(query(name), values or None)
    names = [column.name for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
