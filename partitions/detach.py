"""Detaching a leaf while queries go on."""

from typing import LiteralString

from partitions.catalog import Leaf
from partitions.leaves import parent_of
from partitions.policy import Policy
from partitions.turns import attempts, lock_timeout, outlast
from warehouse.connection import Connection, sql, translated

# So long a detach looks for a moment without a long transaction before that counts as a failed turn.
LOOKING_SECONDS = 5.0


def detach_leaf(connection: Connection, policy: Policy, leaf: Leaf) -> None:
    """Detach a leaf, or finish a detach that was interrupted; waits for older queries, in short turns.

    Raises:
        LockBusyError: queries kept the leaf for longer than our patience. The detach may be half done: call again.
    """
    for attempt in attempts():
        with attempt, translated():
            # At its end a detach locks the leaf: readers of it would queue behind us, and we behind a long transaction.
            outlast(connection, [parent_of(policy), leaf.identifier], LOOKING_SECONDS)
            begun = _is_begun(connection, leaf)
            if begun is not None:
                _detach(connection, policy, leaf, "FINALIZE" if begun else "CONCURRENTLY")


def _detach(connection: Connection, policy: Policy, leaf: Leaf, how: LiteralString) -> None:
    with lock_timeout(connection):
        connection.execute(detaching(policy, leaf, how))


def detaching(policy: Policy, leaf: Leaf, how: LiteralString) -> sql.Composed:
    """The SQL that detaches a leaf: CONCURRENTLY, or FINALIZE where that was interrupted."""
    return sql.SQL("ALTER TABLE {} DETACH PARTITION {} {}").format(parent_of(policy), leaf.identifier, sql.SQL(how))


def _is_begun(connection: Connection, leaf: Leaf) -> bool | None:
    """Whether a detach was begun and not ended; None where the leaf is not attached."""
    row = connection.execute(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = %s::regclass",
        (leaf.identifier.as_string(),),
    ).fetchone()
    return None if row is None else bool(row[0])
