"""Writing the file of an archive from a snapshot of its leaf, and reading it back."""

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pyarrow as pa

from partitions.archive_file import (
    disk_errors_translated,
    least_room,
    private_file,
    put_in_place,
    read_rows,
    require_room,
    sha256_of,
    write_rows,
)
from partitions.canonical import fingerprint
from partitions.catalog import Leaf
from partitions.columns import Column
from partitions.fingerprint import Fingerprint
from partitions.grain import Span
from partitions.manifest import Archive, as_json, described, file_name, manifest_name
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.errors import TargetError
from warehouse.stream import stream_rows

# For the one sort of the rows; what does not fit goes to the server's disk.
SORT_MEMORY = "256MB"


@dataclass(frozen=True)
class Source:
    """A leaf as a snapshot shows it."""

    connection: Connection
    snapshot: str
    policy: Policy
    leaf: Leaf
    columns: tuple[Column, ...]

    @property
    def bytes(self) -> int:
        row = self.connection.execute(
            "SELECT pg_table_size(%s::regclass)", (self.leaf.identifier.as_string(),)
        ).fetchone()
        assert row is not None
        return int(row[0])

    @property
    def statement(self) -> sql.Composed:
        """All rows in a total order: by key, then by what is unique, then by everything else."""
        names = [column.name for column in self.columns]
        leading = [name for name in (self.policy.key, *chain(*self.policy.unique)) if name in names]
        types = {column.name: column.type for column in self.columns}
        return sql.SQL("SELECT {} FROM {} AS leaf ORDER BY {}").format(
            sql.SQL(", ").join(column.read for column in self.columns),
            self.leaf.identifier,
            sql.SQL(", ").join(_ordered(name, types[name]) for name in dict.fromkeys([*leading, *names])),
        )


def _ordered(name: str, kind: str) -> sql.Composed:
    # Bytes have the same order everywhere; a language's order changes with the library that knows it.
    bytewise = sql.SQL(' COLLATE "C"') if kind in ("text", "text[]") else sql.SQL("")
    return sql.Identifier("leaf", name) + bytewise


def write_archive(source: Source, span: Span, contents: Fingerprint, folder: Path) -> Archive:
    """Write and prove the file and its manifest; both are there afterwards, or none. Raises as `archive_leaf`."""
    file = file_name(source.policy.name, source.leaf.name, source.columns, contents)
    path, needed = folder / file, least_room(source.bytes)
    require_room(path.parent, needed)
    # Both or none; a manifest without its file is nothing, so that it takes its name first.
    with (
        disk_errors_translated(path.parent, needed),
        put_in_place(path) as aside,
        put_in_place(folder / manifest_name(file)) as beside,
    ):
        settings = {"work_mem": SORT_MEMORY, "client_encoding": "UTF8"}
        with stream_rows(source.connection, source.snapshot, source.statement, settings) as batches:
            write_rows(aside, batches)
        _verify(aside, source, contents)
        archive = Archive(
            table=source.policy.name,
            leaf=source.leaf.name,
            span=span,
            columns=described(source.columns),
            contents=contents,
            file=file,
            sha256=sha256_of(aside),
            bytes=aside.stat().st_size,
            archived_at=datetime.now(UTC),
            versions=_versions(source.connection),
        )
        with private_file(beside) as stream:
            stream.write(as_json(archive).encode())
    return archive


def _verify(path: Path, source: Source, expected: Fingerprint) -> None:
    found = sum((fingerprint(frame, source.columns) for frame in read_rows(path)), Fingerprint())
    # A file without rows has no sums.
    if found + Fingerprint(sums=dict.fromkeys(expected.sums, Decimal(0))) != expected:
        raise TargetError(
            f"{source.leaf.qualified} was not archived: read back, the file differs from the table in "
            f"{found.difference(expected)}",
            remedy="arrays of several dimensions cannot be archived; otherwise report this with the table's columns",
        )


def _versions(connection: Connection) -> dict[str, str]:
    server = connection.info.parameter_status("server_version") or ""
    return {"postgresql": server.split()[0], "pyarrow": pa.__version__, "python": platform.python_version()}
