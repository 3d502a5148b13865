"""One writer at a time: a session advisory lock on a connection of its own, looked at again before each commit.

A lost connection is a lost lock, and its run may not know yet. So each transaction that publishes ends with
`require_writer`, which keeps a second lock, the fence, in shared mode until the commit; the next writer waits for
the fence. Whoever looked before the lock was lost is waited for, whoever looks later is refused.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from warehouse.connection import Connection, connect
from warehouse.errors import TransientTargetError
from warehouse.queries import query

# "cauri" in ASCII: any constants will do, as long as all writers of a warehouse share them.
WRITER_LOCK = 0x6361757269
FENCE_LOCK = 0x6361757270

LEASE_SECONDS = 60
RENEWALS_A_LEASE = 4
# What is behind the fence has only its commit before it.
_FENCE_TIMEOUT = "30s"

log = logging.getLogger(__name__)


class WriterLock:
    """The writer lock while it is held, and the lease of the run that holds it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def lead(self, run_id: int) -> None:
        """Enter the lock into the record of a run, and renew its lease until the lock is let go."""
        self._renew(run_id)
        self._renewing = threading.Thread(target=self._keep, args=(run_id,), name="lease", daemon=True)
        self._renewing.start()

    def let_go(self) -> None:
        """End the renewals and give the lock back."""
        self._ended.set()
        if self._renewing:
            self._renewing.join()
        # The server sees a closed connection a moment later: the next run would find the lock still held.
        with suppress(psycopg.Error):
            self._connection.execute("SELECT pg_advisory_unlock(%s)", (WRITER_LOCK,))

    def _keep(self, run_id: int) -> None:
        while not self._ended.wait(LEASE_SECONDS / RENEWALS_A_LEASE):
            try:
                self._renew(run_id)
            except psycopg.Error:
                log.warning("the connection that holds the writer lock is gone; the run will stop before it commits")
                return

    def _renew(self, run_id: int) -> None:
        self._connection.execute(query("ledger/renew_lease"), {"run_id": run_id, "seconds": LEASE_SECONDS})


@contextmanager
def single_writer(url: str) -> Iterator[WriterLock]:
    """Hold the warehouse's writer lock; it goes with the connection, so a killed run leaves none.

    Raises:
        TransientTargetError: another run holds it, or one that lost it is still committing.
    """
    with connect(url, application="cauri lock") as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (WRITER_LOCK,)).fetchone()
        if row != (True,):
            raise TransientTargetError(
                "another run is writing to this warehouse", remedy="wait until it ends: cauri status shows it"
            )
        _wait_at_the_fence(connection)
        lock = WriterLock(connection)
        try:
            yield lock
        finally:
            lock.let_go()


def _wait_at_the_fence(connection: Connection) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (_FENCE_TIMEOUT,))
    connection.execute("SELECT pg_advisory_lock(%s)", (FENCE_LOCK,))
    connection.execute("SELECT pg_advisory_unlock(%s)", (FENCE_LOCK,))
    connection.execute("RESET lock_timeout")


def require_writer(connection: Connection, run_id: int) -> None:
    """Refuse to go on if the run's lock is lost; within a transaction the answer holds until its end.

    Raises:
        TransientTargetError: the lock's session has ended, or the run was closed.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (FENCE_LOCK,))
    row = connection.execute(query("ledger/may_write"), {"run_id": run_id, "lock": WRITER_LOCK}).fetchone()
    if row != (True,):
        raise TransientTargetError(
            f"run {run_id} has lost the writer lock: its connection was cut, and another run may be writing by now",
            remedy="run the same command again: what was committed is skipped",
        )
