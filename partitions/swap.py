"""The swap: new leaves take the place of old ones in one short transaction, when no reader would miss a row."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from dataclasses import replace as evolve
from datetime import datetime
from time import monotonic, sleep
from typing import Any, LiteralString

from partitions import turns
from partitions.catch_up import catch_up
from partitions.changes import dropping_aside
from partitions.control_totals import Totals
from partitions.copies import Copy
from partitions.leaves import (
    LEAF_SCHEMA,
    Statement,
    attach_one,
    attach_statement,
    attached,
    bare_name,
    execute_all,
    parent_of,
    plain_name,
    removal,
)
from partitions.turns import in_turns
from warehouse.connection import Connection, sql, translated
from warehouse.errors import LockBusyError, TransientTargetError
from warehouse.queries import query

WRITERS_WAIT = "SHARE ROW EXCLUSIVE"
ALL_WAIT = "ACCESS EXCLUSIVE"

# A round this short leaves so little for the swap that writers notice nothing.
SHORT_ROUND_SECONDS = 0.05
MOST_ROUNDS = 100

# After so long without its locks, the swap catches up again before it asks on.
_TURNS_SECONDS = 2.0

# Snapshots of others are looked at again after so long.
_SNAPSHOT_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Replaced:
    """What was done. Readers waited for `locked_ms` at most, apart from the turns in which the lock was not had."""

    action: str
    table: str
    leaves_before: tuple[str, ...]
    leaves_after: tuple[str, ...]
    rows: int
    locked_ms: float
    rest_rows: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "locked_ms": round(self.locked_ms, 1)}


def locking(tables: Sequence[sql.Identifier], mode: LiteralString) -> list[Statement]:
    """Locks on tables, in this order; without their leaves."""
    return [sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(table, sql.SQL(mode)) for table in tables]


def releasing(copy: Copy) -> list[Statement]:
    """The SQL that takes the new leaves from what they hang on while they are built."""
    return [sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(copy.routing, leaf) for leaf in copy.aside]


def keeping_rest(copy: Copy) -> list[Statement]:
    """The SQL that makes the rows that belong to no leaf the new DEFAULT partition."""
    assert copy.rest is not None
    return [
        sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(copy.rest, sql.Identifier(LEAF_SCHEMA)),
        attach_statement(parent_of(copy.policy), _kept(copy.rest), sql.SQL("DEFAULT")),
    ]


def _kept(rest: sql.Identifier) -> sql.Identifier:
    return sql.Identifier(LEAF_SCHEMA, bare_name(rest))


def until_short(connection: Connection, copy: Copy) -> Totals:
    """Catch up in rounds, each a transaction, until one is short; return by how much totals changed.

    Raises:
        TransientTargetError: writers are faster than we are.
    """
    total = Totals()
    for _ in range(MOST_ROUNDS):
        began = monotonic()
        with translated(), connection.transaction():
            total += catch_up(connection, copy)
        if monotonic() - began < SHORT_ROUND_SECONDS:
            return total
    raise TransientTargetError(
        f"{copy.policy.name} is written to faster than the new leaves can follow",
        remedy="run the same command again at a quieter time",
    )


def swap(connection: Connection, copy: Copy, action: str, totals: Totals) -> Replaced:
    """The short transaction, in turns. `totals` are those of the comparison; what changes later is added to them.

    Raises:
        LockBusyError: others kept their locks or snapshots for longer than our patience; everything is as it was.
    """
    insist_at = monotonic() + turns.LOOKING_PATIENCE_SECONDS / 2
    deadline = monotonic() + turns.LOOKING_PATIENCE_SECONDS
    while True:
        totals += until_short(connection, copy)
        _outlive_snapshots(connection, copy, deadline)
        patience = max(0.0, min(_TURNS_SECONDS, deadline - monotonic()))
        insist_after = max(0.0, insist_at - monotonic())
        tables = [parent_of(copy.policy), *copy.old]
        try:
            for turn in in_turns(connection, tables, patience=patience, insist_after=insist_after):
                with turn:
                    done, locked_at = _exchange(connection, copy, action, totals)
            return evolve(done, locked_ms=(monotonic() - locked_at) * 1000)
        except LockBusyError:
            # Meanwhile changes have gathered: they are caught up outside of the lock.
            if monotonic() > deadline:
                raise


def _exchange(connection: Connection, copy: Copy, action: str, totals: Totals) -> tuple[Replaced, float]:
    """Old leaves out, new leaves in, in the caller's transaction; return also when readers began to wait."""
    policy, parent = copy.policy, parent_of(copy.policy)
    # At first writers only, parent before leaves: readers go on until everything is ready.
    execute_all(connection, locking([parent, *copy.old], WRITERS_WAIT))
    change = catch_up(connection, copy)
    if change != Totals():
        _require_no_old_snapshot(connection)
    execute_all(connection, releasing(copy))
    execute_all(connection, locking([parent, *copy.old], ALL_WAIT))
    locked_at = monotonic()
    for old in copy.old:
        execute_all(connection, removal(parent, old))
    for span in copy.spans:
        attach_one(connection, policy, span, copy.timezone)
    rest_rows = _keep_rest(connection, copy) if copy.rest else 0
    execute_all(connection, dropping_aside(policy))
    done = _done(copy, action, totals + change, rest_rows)
    connection.execute(
        query("replace/record"),
        (
            done.action,
            done.table,
            list(done.leaves_before),
            list(done.leaves_after),
            done.rows,
            json.dumps((totals + change).to_json()),
        ),
    )
    return done, locked_at


def _keep_rest(connection: Connection, copy: Copy) -> int:
    """Attach the rows that belong to no leaf as the new DEFAULT partition; without any, drop it."""
    assert copy.rest is not None
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(copy.rest)).fetchone()
    assert row is not None
    if not row[0]:
        connection.execute(sql.SQL("DROP TABLE {}").format(copy.rest))
        return 0
    execute_all(connection, keeping_rest(copy))
    return int(row[0])


def _done(copy: Copy, action: str, totals: Totals, rest_rows: int) -> Replaced:
    after = [plain_name(attached(copy.policy, span)) for span in copy.spans]
    if rest_rows and copy.rest:
        after.append(plain_name(_kept(copy.rest)))
    before = tuple(plain_name(name) for name in copy.old)
    return Replaced(action, copy.policy.name, before, tuple(after), totals.rows, 0.0, rest_rows)


def _outlive_snapshots(connection: Connection, copy: Copy, deadline: float) -> None:
    """Wait until no transaction is left whose snapshot is older than the rows of the new leaves: it would miss them.

    Raises:
        LockBusyError: one stays.
    """
    older = _snapshots(connection)
    while older & _snapshots(connection):
        if monotonic() > deadline:
            raise LockBusyError(
                f"a long transaction has a snapshot that is older than the new leaves of {copy.policy.name}",
                remedy="run the same command again when it has ended",
            )
        sleep(_SNAPSHOT_PAUSE_SECONDS)


def _snapshots(connection: Connection) -> set[tuple[int, datetime]]:
    with translated():
        return {(pid, began) for pid, began, _ in connection.execute(query("replace/snapshots")).fetchall()}


def _require_no_old_snapshot(connection: Connection) -> None:
    """Refuse to go on while others have held a snapshot for a while.

    Raises:
        LockBusyError: somebody has.
    """
    # Rows that changed in the last moments carry the number of our own transaction: older snapshots miss them.
    if any(long for *_, long in connection.execute(query("replace/snapshots")).fetchall()):
        raise LockBusyError("a long transaction has a snapshot that is older than the last changes")
