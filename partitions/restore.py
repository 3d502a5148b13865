"""Restoring archived leaves: built aside from their files, proven equal, and attached, all in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from partitions.archive_file import read_rows
from partitions.archive_ledger import set_state
from partitions.catalog import Leaf, Table, read_catalog
from partitions.columns import Column, archivable_columns
from partitions.fingerprint import Fingerprint, measure
from partitions.grain import Span
from partitions.leaves import attach, create_aside, index_and_analyse, parent_of
from partitions.manifest import Archive, damage
from partitions.policy import Policy
from warehouse.connection import Connection, sql, translated
from warehouse.copy import copy_frames
from warehouse.errors import TargetError
from warehouse.queries import query

_UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True)
class Wanted:
    """A leaf to restore, from all the archives that together hold its rows; usually that is one."""

    policy: Policy
    archives: tuple[Archive, ...]

    @property
    def leaf(self) -> str:
        return self.archives[0].leaf

    @property
    def span(self) -> Span:
        return self.archives[0].span

    @property
    def contents(self) -> Fingerprint:
        return sum((archive.contents for archive in self.archives), Fingerprint())


def restore_leaves(
    connection: Connection,
    wanted: Sequence[Wanted],
    folder: Path,
    timezone: str,
    hold_until: date,
    afterwards: Callable[[], None] = lambda: None,
) -> None:
    """Bring leaves back as they were when they were archived, all or none, and hold each until a day.

    `afterwards` is called in the same transaction, when the leaves are attached.

    Raises:
        TargetError: a file or manifest is damaged, the table has other columns now, another leaf has the days; or the
            rows did not arrive as they were archived. Nothing was changed.
        TransientTargetError: the server is away, or a lock was not had in time. Nothing was changed.
    """
    for one in wanted:
        _require_sound(one, folder)
        _require_columns(connection, one)
        _require_place(connection, one, timezone)
    with translated(), connection.transaction():
        for one in wanted:
            _build(connection, one, folder, timezone)
        attach(connection, [(one.policy, one.span) for one in wanted], timezone)
        for one in wanted:
            connection.execute(query("archive/hold"), (one.policy.name, one.leaf, hold_until))
            for archive in one.archives:
                set_state(connection, archive, "restored")
        afterwards()


def _build(connection: Connection, wanted: Wanted, folder: Path, timezone: str) -> None:
    leaf = create_aside(connection, wanted.policy, wanted.span, timezone)
    files = (read_rows(folder / archive.file) for archive in wanted.archives)
    copy_frames(connection, leaf, chain.from_iterable(files), freeze=True)
    found = measure(connection, leaf, _archived_columns(connection, leaf, wanted))
    if found != wanted.contents:
        raise TargetError(
            f"{wanted.leaf} was not restored: the rows that arrived differ from those that were archived in "
            f"{found.difference(wanted.contents)}",
            remedy="report this with the table's columns; the archive is untouched",
        )
    _index(connection, wanted)


def _index(connection: Connection, wanted: Wanted) -> None:
    try:
        with translated():
            index_and_analyse(connection, wanted.policy, wanted.span)
    except TargetError as exc:
        if exc.facts.get("sqlstate") != _UNIQUE_VIOLATION or len(wanted.archives) == 1:
            raise
        names = ", ".join(Path(archive.file).name for archive in wanted.archives)
        raise TargetError(
            f"{wanted.leaf} was not restored: its {len(wanted.archives)} archives have keys in common: {names}",
            remedy="restore one of them with --file",
        ) from exc


def _archived_columns(connection: Connection, table: sql.Identifier, wanted: Wanted) -> list[Column]:
    archived = dict(wanted.archives[0].columns)
    return [column for column in archivable_columns(connection, table) if column.name in archived]


def _require_sound(wanted: Wanted, folder: Path) -> None:
    for archive in wanted.archives:
        if found := damage(folder, archive):
            raise TargetError(
                f"{wanted.leaf} cannot be restored: {found}",
                remedy="put file and manifest back from a backup, or set CAURI_ARCHIVE to the folder that has them",
                file=archive.file,
            )


def _require_columns(connection: Connection, wanted: Wanted) -> None:
    parent = parent_of(wanted.policy)
    now = {column.name: column for column in archivable_columns(connection, parent)}
    for archive in wanted.archives:
        archived = dict(archive.columns)
        other = [name for name, kind in archived.items() if name not in now or now[name].declared != kind]
        # A column that was added since is filled as it was in the leaves that stood then.
        missing = [column.name for column in now.values() if column.name not in archived and not column.spare]
        if other or missing or archived != dict(wanted.archives[0].columns):
            raise TargetError(
                f"{archive.file} cannot be restored: {parent.as_string()} has other columns now; "
                f"{len(other)} missing or of another type: {', '.join(other) or '-'}; "
                f"{len(missing)} that the archive cannot fill: {', '.join(missing) or '-'}",
                remedy="read the Parquet file with a tool of your own; docs/partitions.md shows how",
            )


def _require_place(connection: Connection, wanted: Wanted, timezone: str) -> None:
    table = read_catalog(connection, [wanted.policy], timezone).tables[wanted.policy.name]
    for leaf, remedy in _in_the_way(table):
        if leaf.name == wanted.leaf or (leaf.span is not None and leaf.span.overlaps(wanted.span)):
            raise TargetError(
                f"{wanted.leaf} cannot be restored: {leaf.qualified} has days of {wanted.span} already", remedy=remedy
            )


def _in_the_way(table: Table) -> list[tuple[Leaf, str]]:
    return [
        *((leaf, "archive and drop that leaf first, or keep it") for leaf in table.leaves),
        *((leaf, "attach or drop that detached table first") for leaf in table.orphans),
        *((leaf, "a load or a change of grain was interrupted there: run it again first") for leaf in table.staged),
    ]
