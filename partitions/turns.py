"""Strong locks in short turns: look first, ask for 100 ms, give way, try again."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from warehouse.connection import Connection, sql, translated
from warehouse.errors import LockBusyError
from warehouse.queries import query

T = TypeVar("T")

# Whoever comes after a waiting lock waits behind it: this is the longest that we let others wait.
LOCK_TIMEOUT = "100ms"

# Long enough to outlive a report that reads for minutes.
PATIENCE_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 1.0

# After this part of the patience, locks are asked for although a long transaction is in the way.
_LOOKING = 0.5


def in_turns(
    connection: Connection, tables: Sequence[sql.Identifier], work: Callable[[], T], *, patience: float | None = None
) -> T:
    """Do `work` in a transaction with a short lock_timeout, again and again until it has its locks.

    `tables` are those that it locks: while a long transaction uses one of them, no turn is begun.

    Raises:
        LockBusyError: patience (`PATIENCE_SECONDS`) came to its end; nothing was changed.
    """
    seconds = PATIENCE_SECONDS if patience is None else patience
    looked_until = monotonic() + seconds * _LOOKING
    retrying = Retrying(
        retry=retry_if_exception_type(LockBusyError),
        wait=wait_random_exponential(multiplier=0.05, max=LONGEST_PAUSE_SECONDS),
        stop=stop_after_delay(seconds),
        reraise=True,
    )
    for attempt in retrying:
        with attempt, translated():
            if monotonic() < looked_until:
                require_no_long_user(connection, tables)
            with connection.transaction():
                connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
                return work()
    raise AssertionError("tenacity ends with a result or an error")


def require_no_long_user(connection: Connection, tables: Sequence[sql.Identifier]) -> None:
    """Refuse to wait behind a transaction that will not end in a moment.

    Raises:
        LockBusyError: there is one.
    """
    names = [table.as_string() for table in tables]
    row = connection.execute(query("replace/long_users"), (names,)).fetchone()
    if row and row[0]:
        raise LockBusyError(
            f"{row[0]} long transaction(s) use {', '.join(names)}",
            remedy="run the same command again when they have ended",
            sessions=row[0],
        )
