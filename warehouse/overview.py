"""What the warehouse holds, in a few figures."""

from typing import Any

from warehouse.connection import Connection
from warehouse.queries import query


def overview(connection: Connection) -> dict[str, Any]:
    """Last runs, files, leaves, rows of each table, quarantine, and how fresh it all is."""
    return {
        "runs": _rows(connection, "status/runs"),
        "files": _rows(connection, "status/files"),
        "leaves": _rows(connection, "status/leaves"),
        "tables": _rows(connection, "status/tables"),
        "quarantine": _rows(connection, "quarantine/counts_by_reason"),
        "freshness": _rows(connection, "status/freshness")[0],
    }


def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query(name))
    names = [column.name for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
