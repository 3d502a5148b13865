"""Leaves take the place of others, online: captured, built aside, caught up, swapped in one short transaction.

Until the swap commits the old leaves are whole and attached; after it nothing is left of the change but its row in the
ledger.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from dataclasses import replace as evolve
from time import monotonic
from typing import Any

from partitions import turns
from partitions.catch_up import catch_up, verified
from partitions.changes import CLEARING_PATIENCE_SECONDS, capture, clear_leftovers, drop_aside
from partitions.control_totals import Totals, bare_name, plain_name, written_columns
from partitions.copies import Copy, build
from partitions.dependents import require_no_dependents
from partitions.grain import Span
from partitions.leaves import LEAF_SCHEMA, attach_one, execute_all, parent_of, staged
from partitions.phases import ALL_WAIT, WRITERS_WAIT, locking, removal
from partitions.policy import Policy
from partitions.snapshots import outlive_snapshots, require_no_old_snapshot
from partitions.turns import in_turns
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import CauriError, LockBusyError, TargetError, TransientTargetError
from warehouse.queries import query

# A round this short leaves so little for the swap that writers notice nothing.
SHORT_ROUND_SECONDS = 0.05
MOST_ROUNDS = 100

# After so long without its locks, the swap catches up again before it asks on.
_TURNS_SECONDS = 2.0


@dataclass(frozen=True)
class Request:
    """What takes the place of what. `old` are attached to the parent as leaves, or as its DEFAULT partition."""

    action: str
    policy: Policy
    timezone: str
    old: tuple[sql.Identifier, ...]
    spans: tuple[Span, ...]
    rest: sql.Identifier | None = None


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


def replace(url: str, request: Request) -> Replaced:
    """Replace leaves while everybody goes on reading and writing.

    The caller holds the writer lock. Rows written meanwhile are in the new leaves; every reader sees each row once.

    Raises:
        LockBusyError: others kept their locks or snapshots for longer than our patience.
        TransientTargetError: the database went away, or a leaf was emptied meanwhile.
        TargetError: the rows do not fit the new leaves. In each case nothing was changed.
    """
    policy = request.policy
    with connect(url, application=f"cauri {request.action} {policy.name}") as connection:
        clear_leftovers(connection, policy)
        with translated():
            columns = written_columns(connection, parent_of(policy))
            _require_free(connection, request)
        copy = Copy(policy, request.timezone, request.old, request.spans, columns, request.rest)
        try:
            capture(connection, policy, request.old, columns)
            build(connection, copy)
            _until_short(connection, copy)
            totals = verified(connection, copy)
            return _swap(connection, request, copy, totals)
        except BaseException:
            # Should that fail, too, the next run tidies up.
            with suppress(CauriError):
                clear_leftovers(connection, policy, patience=CLEARING_PATIENCE_SECONDS)
            raise


def _require_free(connection: Connection, request: Request) -> None:
    """Refuse what would fail at the end: names that are taken, objects that hang on the old leaves."""
    for span in request.spans:
        name = staged(request.policy, span).as_string()
        if connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() != (None,):
            raise TargetError(
                f"staging.{span.leaf_of(request.policy.name)} exists: a load was interrupted after it had built it",
                remedy="finish the load first, or load anything else, which removes it",
            )
    for old in request.old:
        require_no_dependents(connection, old)


def _until_short(connection: Connection, copy: Copy) -> Totals:
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


def _swap(connection: Connection, request: Request, copy: Copy, totals: Totals) -> Replaced:
    """The short transaction, in turns. `totals` are those of the comparison; what changes later is added to them."""
    insist_at = monotonic() + turns.LOOKING_PATIENCE_SECONDS / 2
    deadline = monotonic() + turns.LOOKING_PATIENCE_SECONDS
    while True:
        totals += _until_short(connection, copy)
        outlive_snapshots(connection, request.policy, deadline)
        patience = max(0.0, min(_TURNS_SECONDS, deadline - monotonic()))
        insist_after = max(0.0, insist_at - monotonic())
        tables = [parent_of(request.policy), *request.old]
        try:
            for turn in in_turns(connection, tables, patience=patience, insist_after=insist_after):
                with turn:
                    done, locked_at = _exchange(connection, request, copy, totals)
            return evolve(done, locked_ms=(monotonic() - locked_at) * 1000)
        except LockBusyError:
            # Meanwhile changes have gathered: they are caught up outside of the lock.
            if monotonic() > deadline:
                raise


def _exchange(connection: Connection, request: Request, copy: Copy, totals: Totals) -> tuple[Replaced, float]:
    """Old leaves out, new leaves in, in the caller's transaction; return also when readers began to wait."""
    policy, parent = request.policy, parent_of(request.policy)
    # At first writers only, parent before leaves: readers go on until everything is ready.
    execute_all(connection, locking([parent, *request.old], WRITERS_WAIT))
    change = catch_up(connection, copy)
    if change != Totals():
        require_no_old_snapshot(connection)
    for leaf in copy.aside:
        connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(copy.routing, leaf))
    execute_all(connection, locking([parent, *request.old], ALL_WAIT))
    locked_at = monotonic()
    for old in request.old:
        execute_all(connection, removal(parent, old))
    for span in request.spans:
        attach_one(connection, policy, span, request.timezone)
    rest_rows = _keep_rest(connection, parent, request.rest) if request.rest else 0
    drop_aside(connection, policy)
    done = _done(request, totals + change, rest_rows)
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


def _keep_rest(connection: Connection, parent: sql.Identifier, rest: sql.Identifier) -> int:
    """Attach the rows that belong to no leaf as the new DEFAULT partition; without any, drop it."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(rest)).fetchone()
    assert row is not None
    if not row[0]:
        connection.execute(sql.SQL("DROP TABLE {}").format(rest))
        return 0
    connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(rest, sql.Identifier(LEAF_SCHEMA)))
    kept = sql.Identifier(LEAF_SCHEMA, bare_name(rest))
    connection.execute(sql.SQL("ALTER TABLE {} ATTACH PARTITION {} DEFAULT").format(parent, kept))
    return int(row[0])


def _done(request: Request, totals: Totals, rest_rows: int) -> Replaced:
    after = [f"{LEAF_SCHEMA}.{span.leaf_of(request.policy.name)}" for span in request.spans]
    if rest_rows and request.rest:
        after.append(f"{LEAF_SCHEMA}.{bare_name(request.rest)}")
    before = tuple(plain_name(name) for name in request.old)
    return Replaced(request.action, request.policy.name, before, tuple(after), totals.rows, 0.0, rest_rows)
