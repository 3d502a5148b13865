"""The ledger: runs, files and what each piece of work put where. Always written with what it accounts for."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.connection import Connection
from warehouse.lock import require_writer
from warehouse.queries import query


@dataclass(frozen=True)
class FileEntry:
    """A file that is accounted for."""

    content_hash: str
    feed: str
    contract: str
    name: str
    size_bytes: int
    read: int
    loaded: int
    updated: int
    repeated: int
    rejected: int


@dataclass(frozen=True)
class WorkEntry:
    """What a piece of work did in one transaction: a leaf it built, or one of merge, dimensions, labels."""

    part: str
    state: str
    rows: int = 0
    amount_minor: int = 0
    commission_minor: int = 0
    cells: int = 0
    outcomes: dict[str, Any] | None = None


def open_run(connection: Connection, command: str, work_id: str, started_at: datetime) -> int:
    """Enter a run that began at `started_at`; return its number."""
    row = connection.execute(query("ledger/open_run"), (command, work_id, started_at)).fetchone()
    assert row is not None
    return int(row[0])


def close_run(connection: Connection, run_id: int, status: str, summary: dict[str, Any] | None = None) -> None:
    """End a run: done, or nothing."""
    rows = (summary or {}).get("rows", {})
    counts = [rows.get(name, 0) for name in ("read", "loaded", "updated", "repeated", "rejected")]
    connection.execute(query("ledger/close_run"), (status, *counts, json.dumps(summary) if summary else None, run_id))
    for step in (summary or {}).get("steps", []):
        connection.execute(query("ledger/record_step"), (run_id, step["step"], step["name"], step["seconds"]))


def give_up_run(connection: Connection, work_id: str, started_at: datetime, status: str) -> None:
    """End the run that this process opened, if it got so far and is still open: failed or stopped."""
    connection.execute(query("ledger/give_up_run"), (status, work_id, started_at))


def known_files(connection: Connection) -> dict[tuple[str, str, str], str]:
    """Identity (content hash, feed, contract) -> name of every file that is accounted for."""
    rows = connection.execute(query("ledger/known_files")).fetchall()
    return {(content_hash, feed, contract): name for content_hash, feed, contract, name in rows}


def record_file(connection: Connection, run_id: int, entry: FileEntry) -> None:
    """Account for a file."""
    connection.execute(
        query("ledger/record_file"),
        (
            entry.content_hash,
            entry.feed,
            entry.contract,
            entry.name,
            entry.size_bytes,
            run_id,
            entry.read,
            entry.loaded,
            entry.updated,
            entry.repeated,
            entry.rejected,
        ),
    )


def record_work(connection: Connection, work_id: str, run_id: int, entry: WorkEntry) -> None:
    """Write down what a piece of work did, at the end of the transaction that does it.

    Raises:
        TransientTargetError: the run has lost the writer lock; the transaction must not be committed.
    """
    require_writer(connection, run_id)
    connection.execute(
        query("ledger/record_work"),
        (
            work_id,
            entry.part,
            entry.state,
            run_id,
            entry.rows,
            entry.amount_minor,
            entry.commission_minor,
            entry.cells,
            json.dumps(entry.outcomes) if entry.outcomes is not None else None,
        ),
    )


def work_done(connection: Connection, work_id: str) -> dict[str, WorkEntry]:
    """What an earlier, interrupted run of the same work has committed, by part."""
    rows = connection.execute(query("ledger/work_done"), (work_id,)).fetchall()
    return {row[0]: WorkEntry(row[0], row[1], row[2], int(row[3]), int(row[4]), row[5], row[6]) for row in rows}


def runs_of_work(connection: Connection, work_id: str) -> set[int]:
    """Numbers of the runs that have worked on it, this one and interrupted ones."""
    return {run_id for (run_id,) in connection.execute(query("ledger/runs_of_work"), (work_id,)).fetchall()}


def forget_leaf(connection: Connection, part: str) -> None:
    """Strike out a leaf that was thrown away before it was attached."""
    connection.execute("DELETE FROM ops.leaf WHERE leaf = %s AND state = 'built'", (part,))
