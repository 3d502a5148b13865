"""The ledger's rows of archives: what was archived, and what became of the leaves."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from partitions.grain import Span
from partitions.manifest import Archive, contents_of
from warehouse.connection import Connection
from warehouse.queries import query


@dataclass(frozen=True)
class Entry:
    """An archive in the ledger. State: archived, dropped, restored or superseded."""

    archive_id: int
    state: str
    archive: Archive


def entries(connection: Connection, table: str | None = None, leaf: str | None = None) -> list[Entry]:
    """What the ledger knows of archives, oldest leaf first, newest archive of a leaf last."""
    rows = connection.execute(query("archive/entries"), {"table": table, "leaf": leaf}).fetchall()
    return [Entry(row[0], row[1], _archive(*row[2:])) for row in rows]


def record(connection: Connection, archive: Archive) -> None:
    """Enter an archive of a leaf that stands, in the caller's transaction; earlier ones of it are superseded."""
    values = {
        "table": archive.table,
        "leaf": archive.leaf,
        "first_day": archive.span.first,
        "end_day": archive.span.end,
        "columns": json.dumps(archive.columns),
        "rows": archive.contents.rows,
        "sums": json.dumps(archive.contents.texts),
        "digest": archive.contents.digest,
        "file": archive.file,
        "sha256": archive.sha256,
        "bytes": archive.bytes,
        "versions": json.dumps(archive.versions),
        "archived_at": archive.archived_at,
    }
    connection.execute(query("archive/record"), values)
    connection.execute(query("archive/supersede"), (archive.table, archive.leaf, archive.file))


def set_state(connection: Connection, archive: Archive, state: str) -> None:
    """Write down what became of the leaf, in the transaction that does it."""
    connection.execute(query("archive/set_state"), (state, archive.file, state))


def _archive(  # noqa: PLR0913, PLR0917
    table: str,
    leaf: str,
    first_day: date,
    end_day: date,
    columns: list[list[str]],
    rows: int,
    sums: dict[str, str],
    digest: Decimal,
    file: str,
    file_sha256: str,
    size: int,
    versions: dict[str, str],
    archived_at: datetime,
) -> Archive:
    return Archive(
        table=table,
        leaf=leaf,
        span=Span(first_day, end_day),
        columns=tuple((name, kind) for name, kind in columns),
        contents=contents_of(rows, digest, sums),
        file=file,
        sha256=file_sha256,
        bytes=size,
        archived_at=archived_at,
        versions=versions,
    )
