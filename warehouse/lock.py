"""One writer at a time: a session advisory lock on a connection of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from warehouse.connection import connect
from warehouse.errors import TransientTargetError

# "cauri" in ASCII: any constant will do, as long as all writers of a warehouse share it.
WRITER_LOCK = 0x6361757269


@contextmanager
def single_writer(url: str) -> Iterator[None]:
    """Hold the warehouse's writer lock; it goes with the connection, so a killed run leaves none.

    Raises:
        TransientTargetError: another run holds it.
    """
    with connect(url, application="cauri lock") as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (WRITER_LOCK,)).fetchone()
        if row != (True,):
            raise TransientTargetError(
                "another run is writing to this warehouse", remedy="wait until it ends: cauri status shows it"
            )
        try:
            yield
        finally:
            # The server sees a closed connection a moment later: the next run would find the lock still held.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock(%s)", (WRITER_LOCK,))
