"""A leaf all of whose rows are written anew: built aside, and put in the place of the old one in a moment."""

from collections.abc import Callable
from contextlib import suppress

from partitions.coverage import built_spans
from partitions.dependents import dependents_of
from partitions.grain import Span
from partitions.leaves import (
    attached,
    attachment,
    create_aside,
    drop_staged,
    execute_all,
    index_and_analyse,
    parent_of,
    removal,
)
from partitions.policy import Policy
from partitions.swap import ALL_WAIT, locking
from partitions.turns import in_turns
from warehouse.connection import Connection, sql, translated
from warehouse.errors import CauriError, LockBusyError

# Whoever reads the old leaf for longer keeps us from nothing but this way of writing.
PATIENCE_SECONDS = 1.0


def renew(
    connection: Connection,
    policy: Policy,
    span: Span,
    timezone: str,
    fill: Callable[[sql.Identifier], None],
    account: Callable[[], None],
) -> bool:
    """Put a leaf that `fill` fills in the place of the one that is there, in a transaction with what `account` writes.

    The rows of the old one go. Those of the new one have to be frozen: whoever has an older snapshot would miss them.
    False where others use the old leaf for long, or something hangs on it: then everything is as it was.

    Raises:
        TransientTargetError, TargetError: the server, `fill` or `account` said so; everything is as it was.
    """
    parent, old = parent_of(policy), attached(policy, span)
    if dependents_of(connection, old):
        return False
    with translated(), connection.transaction():
        drop_staged(connection, policy, span)
        fill(create_aside(connection, policy, span, timezone))
        index_and_analyse(connection, policy, span)
    exchange = [*locking([parent, old], ALL_WAIT), *removal(parent, old), *attachment(policy, span, timezone)]
    try:
        for turn in in_turns(connection, [parent, old], patience=PATIENCE_SECONDS):
            with turn:
                # Before the locks, which others wait for.
                account()
                execute_all(connection, exchange)
    except CauriError as error:
        with suppress(CauriError), translated(), connection.transaction():
            drop_staged(connection, policy, span)
        if not isinstance(error, LockBusyError):
            raise
        return False
    return True


def drop_unfinished(connection: Connection, policy: Policy) -> None:
    """Throw away leaves that a killed run built aside and did not exchange. Nobody else may be renewing the table."""
    for span in built_spans(connection, policy.name):
        with translated(), connection.transaction():
            drop_staged(connection, policy, span)
