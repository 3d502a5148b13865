"""Archiving a leaf: its rows into a Parquet file that is proven to hold them, before anything is dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from partitions.archive_file import remove_leftovers
from partitions.archive_ledger import entries, record, set_state
from partitions.archive_write import Source, write_archive
from partitions.catalog import Leaf
from partitions.columns import Column, archivable_columns
from partitions.fingerprint import Fingerprint, measure, measuring
from partitions.grain import Span
from partitions.leaves import Statement, execute_all
from partitions.manifest import Archive, damage
from partitions.policy import Policy
from warehouse.connection import Connection, sql, translated
from warehouse.errors import TargetError
from warehouse.queries import query
from warehouse.stream import one_snapshot

# A detached leaf has no readers left, but a tool may be looking at it.
DROP_LOCK_TIMEOUT = "5s"


@dataclass(frozen=True)
class Archived:
    """The archive of a leaf, and whether it was there already."""

    archive: Archive
    kept: bool


def archive_leaf(connection: Connection, policy: Policy, leaf: Leaf, folder: Path) -> Archived:
    """Write the rows of a leaf, attached or not, to a file below `folder`, and prove that the file holds them.

    All of it sees one snapshot of the leaf. The file is read back before the ledger gets its row. An archive that is
    there already, sound, and of the same rows is kept.

    Raises:
        TransientTargetError: the server is away, or the archive's disk is full.
        ConfigurationError: the archive folder cannot be written.
        TargetError: the leaf is of a kind that cannot be archived, or the file did not come out the same.
    """
    span = _days(leaf)
    table = leaf.identifier
    remove_leftovers(folder / policy.name)
    with translated(), one_snapshot(connection) as snapshot:
        columns = archivable_columns(connection, table)
        contents = measure(connection, table, columns)
        found = _sound(connection, policy, leaf, folder, columns, contents)
        if found is None:
            source = Source(connection, snapshot, policy, leaf, columns)
            archive = write_archive(source, span, contents, folder)
    with translated(), connection.transaction():
        record(connection, found or archive)
    return Archived(found or archive, kept=found is not None)


def archiving(connection: Connection, policy: Policy, leaf: Leaf) -> list[Statement]:
    """The SQL of `archive_leaf`; what it does with the file is a comment. `connection` is asked for the columns."""
    columns = archivable_columns(connection, leaf.identifier)
    return [
        sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"),
        measuring(leaf.identifier, columns),
        sql.SQL("-- write these rows, read on a second connection by the same snapshot, to a Parquet file:"),
        Source(connection, "", policy, leaf, columns).statement,
        sql.SQL("-- read the file back; if it has the same fingerprint it takes its name, and ops.archive gets a row"),
    ]


def dropping_archived(connection: Connection, leaf: Leaf) -> list[Statement]:
    """The SQL of `drop_archived`; what it does with the file is a comment."""
    return [
        *locking_detached(leaf),
        measuring(leaf.identifier, archivable_columns(connection, leaf.identifier)),
        sql.SQL("-- if ledger, manifest and file have the same fingerprint; otherwise it is archived again first:"),
        sql.SQL("DROP TABLE {}").format(leaf.identifier),
        sql.SQL("-- and its row in ops.archive says so"),
    ]


def is_archived(connection: Connection, policy: Policy, leaf: Leaf, folder: Path) -> bool:
    """Whether a sound archive holds exactly the rows that the leaf has now, wherever it stands.

    Raises:
        TransientTargetError: the server is away.
        TargetError: there is no such table.
    """
    return _current(connection, policy, leaf, folder) is not None


def drop_archived(connection: Connection, policy: Policy, leaf: Leaf, folder: Path) -> Archive:
    """Drop a detached leaf after comparing it once more with its archive, under a lock; return the archive.

    If it changed after it was archived, it is archived again first.

    Raises:
        TargetError: the leaf is attached, or changes while nobody should write to it.
        LockBusyError: somebody else uses the detached leaf.
        TransientTargetError, ConfigurationError: as `archive_leaf`.
    """
    for archived_again in (False, True):
        if archived_again:
            archive_leaf(connection, policy, leaf, folder)
        with translated(), connection.transaction():
            _lock_detached(connection, leaf)
            archive = _current(connection, policy, leaf, folder)
            if archive is not None:
                connection.execute(sql.SQL("DROP TABLE {}").format(leaf.identifier))
                set_state(connection, archive, "dropped")
                connection.execute(query("archive/release"), (policy.name, leaf.name))
                return archive
    raise TargetError(
        f"{leaf.qualified} differs from the archive that was just made of it; it was not dropped",
        remedy="see who writes to the detached table, then run the same command again",
    )


def _lock_detached(connection: Connection, leaf: Leaf) -> None:
    execute_all(connection, locking_detached(leaf))
    row = connection.execute(
        "SELECT relispartition FROM pg_class WHERE oid = %s::regclass", (leaf.identifier.as_string(),)
    )
    if row.fetchone() != (False,):
        raise TargetError(f"{leaf.qualified} is attached to {leaf.table}; it was not dropped", remedy="detach it first")


def locking_detached(leaf: Leaf) -> list[Statement]:
    """The SQL that keeps everybody out of a detached leaf."""
    return [
        sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(DROP_LOCK_TIMEOUT)),
        sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(leaf.identifier),
    ]


def _current(connection: Connection, policy: Policy, leaf: Leaf, folder: Path) -> Archive | None:
    table = leaf.identifier
    with translated(), connection.transaction():
        columns = archivable_columns(connection, table)
        contents = measure(connection, table, columns)
        return _sound(connection, policy, leaf, folder, columns, contents)


def _sound(
    connection: Connection,
    policy: Policy,
    leaf: Leaf,
    folder: Path,
    columns: Sequence[Column],
    contents: Fingerprint,
) -> Archive | None:
    """The newest archive of these rows that is as it was written."""
    known = [entry.archive for entry in reversed(entries(connection, policy.name, leaf.name))]
    return next((a for a in known if a.fits(columns, contents) and damage(folder, a) is None), None)


def _days(leaf: Leaf) -> Span:
    if leaf.span is None or not leaf.ordinary:
        raise TargetError(
            f"{leaf.qualified} cannot be archived: "
            + ("it is no ordinary table" if not leaf.ordinary else f"its bounds are not whole days: {leaf.bounds}"),
            remedy="archive and drop it by hand",
        )
    return leaf.span
