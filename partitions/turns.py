"""Locks in short turns: look first, ask for 100 ms, give way, try again."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from time import monotonic, sleep

from tenacity import AttemptManager, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from warehouse.connection import Connection, sql, translated
from warehouse.errors import LockBusyError
from warehouse.queries import query

# Whoever comes after a waiting lock waits behind it: this is the longest that we let others wait.
LOCK_TIMEOUT = "100ms"

# What waits for others without stopping anyone, and leaves traces where it is broken off, gets one long turn.
ONE_TURN = "60s"

# For locks that nobody waits behind, or that are had for the asking.
PATIENCE_SECONDS = 60.0
# Looking stops nobody, so that it may go on: long enough to outlive a report that reads for minutes.
LOOKING_PATIENCE_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 1.0

# Long transactions are looked for so often: between two of them there may be only a moment.
_LOOK_SECONDS = 0.05


def in_turns(
    connection: Connection,
    tables: Sequence[sql.Identifier] = (),
    *,
    patience: float | None = None,
    insist_after: float | None = None,
    stops_readers: bool = True,
) -> Iterator[AbstractContextManager[None]]:
    """Transactions with a short lock_timeout, until one has its locks: `for turn in in_turns(...): with turn: ...`.

    `tables` are those whose locks others would wait behind: while a long transaction uses one of them, no turn is
    begun; one that only reads is no matter unless the lock `stops_readers`. Only after `insist_after` seconds, half of
    the `patience` by default, is a lock asked for all the same. Patience is `LOOKING_PATIENCE_SECONDS` where there are
    `tables`, else `PATIENCE_SECONDS`.

    Raises:
        LockBusyError: patience came to its end; nothing was changed.
    """
    if patience is None:
        patience = LOOKING_PATIENCE_SECONDS if tables else PATIENCE_SECONDS
    deadline = monotonic() + patience
    insist_at = monotonic() + (patience / 2 if insist_after is None else insist_after)

    @contextmanager
    def turn(attempt: AttemptManager) -> Iterator[None]:
        # No part of the attempt: to have looked until patience ended, or to have no server, is the end.
        with translated(), ExitStack() as begun:
            left, insist_in = deadline - monotonic(), insist_at - monotonic()
            outlast(connection, tables, left, insist_in, stops_readers=stops_readers)
            begun.enter_context(connection.transaction())
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            transaction = begun.pop_all()
        with attempt, translated(), transaction:
            yield

    return map(turn, attempts(patience))


def attempts(patience: float | None = None) -> Retrying:
    """Attempts at what PostgreSQL takes in no transaction, for `PATIENCE_SECONDS` by default."""
    return Retrying(
        retry=retry_if_exception_type(LockBusyError),
        wait=wait_random_exponential(multiplier=0.05, max=LONGEST_PAUSE_SECONDS),
        stop=stop_after_delay(PATIENCE_SECONDS if patience is None else patience),
        reraise=True,
    )


@contextmanager
def lock_timeout(connection: Connection, timeout: str = LOCK_TIMEOUT) -> Iterator[None]:
    """A lock_timeout for statements that run in no transaction."""
    with translated():
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(timeout)))
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute("RESET lock_timeout")


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
    while names and (insist_after is None or monotonic() < begun + insist_after):
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
