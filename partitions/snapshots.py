"""Snapshots of other transactions: attached rows that are younger than a snapshot are invisible to it."""

from datetime import datetime
from time import monotonic, sleep

from partitions.policy import Policy
from warehouse.connection import Connection, translated
from warehouse.errors import LockBusyError
from warehouse.queries import query

# Snapshots of others are looked at again after so long.
_SNAPSHOT_PAUSE_SECONDS = 0.02


def outlive_snapshots(connection: Connection, policy: Policy, deadline: float) -> None:
    """Wait until no transaction is left whose snapshot is older than the rows of the new leaves: it would miss them.

    Raises:
        LockBusyError: one stays.
    """
    older = _snapshots(connection)
    while older & _snapshots(connection):
        if monotonic() > deadline:
            raise LockBusyError(
                f"a long transaction has a snapshot that is older than the new leaves of {policy.name}",
                remedy="run the same command again when it has ended",
            )
        sleep(_SNAPSHOT_PAUSE_SECONDS)


def _snapshots(connection: Connection) -> set[tuple[int, datetime]]:
    with translated():
        return {(pid, began) for pid, began, _ in connection.execute(query("replace/snapshots")).fetchall()}


def require_no_old_snapshot(connection: Connection) -> None:
    """Refuse to go on while others have held a snapshot for a while.

    Raises:
        LockBusyError: somebody has.
    """
    # Rows that changed in the last moments carry the number of our own transaction: older snapshots miss them.
    if any(long for *_, long in connection.execute(query("replace/snapshots")).fetchall()):
        raise LockBusyError("a long transaction has a snapshot that is older than the last changes")
