"""Leaves take the place of others, online: captured, built aside, caught up, swapped in one short transaction.

Until the swap commits the old leaves are whole and attached; after it nothing is left of the change but its row in the
ledger.
"""

from contextlib import suppress
from dataclasses import dataclass

from partitions.catch_up import verified
from partitions.changes import CLEARING_PATIENCE_SECONDS, capture, clear_leftovers
from partitions.columns import written_columns
from partitions.copies import Copy, build
from partitions.dependents import require_no_dependents
from partitions.grain import Span
from partitions.leaves import parent_of, staged
from partitions.policy import Policy
from partitions.swap import Replaced, swap, until_short
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import CauriError, TargetError


@dataclass(frozen=True)
class Request:
    """What takes the place of what. `old` are attached to the parent as leaves, or as its DEFAULT partition."""

    action: str
    policy: Policy
    timezone: str
    old: tuple[sql.Identifier, ...]
    spans: tuple[Span, ...]
    rest: sql.Identifier | None = None

    def copy(self, connection: Connection) -> Copy:
        """The work, with the columns that the table has now."""
        columns = written_columns(connection, parent_of(self.policy))
        return Copy(self.policy, self.timezone, self.old, self.spans, columns, self.rest)


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
            copy = request.copy(connection)
            require_free(connection, request)
        try:
            capture(connection, policy, request.old, copy.columns)
            build(connection, copy)
            until_short(connection, copy)
            totals = verified(connection, copy)
            return swap(connection, copy, request.action, totals)
        except BaseException:
            # Should that fail, too, the next run tidies up.
            with suppress(CauriError):
                clear_leftovers(connection, policy, patience=CLEARING_PATIENCE_SECONDS)
            raise


def require_free(connection: Connection, request: Request) -> None:
    """Refuse what would fail at the end: names that are taken, objects that hang on the old leaves.

    Raises:
        TargetError: naming them.
    """
    for span in request.spans:
        name = staged(request.policy, span).as_string()
        if connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() != (None,):
            raise TargetError(
                f"staging.{span.leaf_of(request.policy.name)} exists: a load was interrupted after it had built it",
                remedy="finish the load first, or load anything else, which removes it",
            )
    for old in request.old:
        require_no_dependents(connection, old)
