"""Strong locks in short turns: look first, ask for 100 ms, give way, try again."""

from collections.abc import Callable, Sequence
from time import monotonic, sleep
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

# Long transactions are looked for so often: between two of them there may be only a moment.
_LOOK_SECONDS = 0.05


def in_turns(
    connection: Connection,
    tables: Sequence[sql.Identifier],
    work: Callable[[], T],
    *,
    patience: float | None = None,
    insist_after: float | None = None,
    stops_readers: bool = True,
) -> T:
    """Do `work` in a transaction with a short lock_timeout, again and again until it has its locks.

    `tables` are those that it locks: while a long transaction uses one of them, no turn is begun; one that only reads
    is no matter unless the lock `stops_readers`. Only after `insist_after` seconds, half of the `patience` by default,
    is a lock asked for all the same.

    Raises:
        LockBusyError: patience (`PATIENCE_SECONDS`) came to its end; nothing was changed.
    """
    seconds = PATIENCE_SECONDS if patience is None else patience
    begun = monotonic()
    insist_at = begun + (seconds / 2 if insist_after is None else insist_after)
    retrying = Retrying(
        retry=retry_if_exception_type(LockBusyError),
        wait=wait_random_exponential(multiplier=0.05, max=LONGEST_PAUSE_SECONDS),
        stop=stop_after_delay(seconds),
        reraise=True,
    )
    for attempt in retrying:
        with attempt, translated():
            left, insist_in = begun + seconds - monotonic(), insist_at - monotonic()
            outlast(connection, tables, left, insist_in, stops_readers=stops_readers)
            with connection.transaction():
                connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
                return work()
    raise AssertionError("tenacity ends with a result or an error")


def outlast(
    connection: Connection,
    tables: Sequence[sql.Identifier],
    seconds: float,
    insist_after: float | None = None,
    *,
    stops_readers: bool = True,
) -> None:
    """Wait until no transaction uses one of the tables for longer than a moment; after `insist_after` seconds don't.

    Those that only read count where a lock is to come that `stops_readers`.

    Raises:
        LockBusyError: after `seconds` there still is one.
    """
    names, begun = [table.as_string() for table in tables], monotonic()
    wanted = {"tables": names, "readers": stops_readers}
    while insist_after is None or monotonic() < begun + insist_after:
        row = connection.execute(query("replace/long_users"), wanted).fetchone()
        if not row or not row[0]:
            return
        if monotonic() >= begun + seconds:
            raise LockBusyError(
                f"{row[0]} long transaction(s) use {', '.join(names)}",
                remedy="run the same command again when they have ended",
                sessions=row[0],
            )
        sleep(_LOOK_SECONDS)
