"""Change of grain: leaves of other spans take the place of leaves, online."""

from collections.abc import Iterable, Sequence

from partitions.catalog import Leaf, Table, read_catalog
from partitions.exchanges import Exchange, exchanges, portions
from partitions.grain import Span
from partitions.phases import Phase, replacement
from partitions.policy import Policy
from partitions.replace import Request, replace, require_free
from partitions.swap import Replaced
from warehouse.connection import Connection, connect, translated
from warehouse.errors import TargetError


def change_grain(
    url: str, policy: Policy, leaves: Sequence[Leaf], spans: Sequence[Span], timezone: str
) -> list[Replaced]:
    """Replace attached leaves by leaves for `spans`, which cover all of their days; one short swap a group of days.

    The caller holds the writer lock. `timezone` is the business time zone. A group that is done stays done if a later
    one fails.

    Raises:
        ConfigurationError: leaves or spans that do not fit each other, or other leaves of the table.
        TargetError: a leaf cannot be replaced: a foreign table, views that hang on it, a DEFAULT partition beside it.
        TransientTargetError: locks were not had, or the database is away.
    """
    table = _table(url, policy, timezone)
    require_replaceable(table, leaves)
    done = []
    for group in exchanges(leaves, spans, table.leaves):
        pieces = portions(group.spans)
        done.append(replace(url, _request(policy, group, pieces, timezone)))
        if len(pieces) < len(group.spans):
            between = [leaf for leaf in _table(url, policy, timezone).leaves if leaf.span in pieces]
            done += change_grain(url, policy, between, group.spans, timezone)
    return done


def phases_of(url: str, policy: Policy, leaves: Sequence[Leaf], spans: Sequence[Span], timezone: str) -> list[Phase]:
    """What `change_grain` would do; the same errors."""
    with connect(url) as connection, translated():
        table = read_catalog(connection, [policy], timezone).tables[policy.name]
        require_replaceable(table, leaves)
        groups = exchanges(leaves, spans, table.leaves)
        return [phase for group in groups for phase in exchange_phases(connection, policy, group, timezone)]


def exchange_phases(connection: Connection, policy: Policy, group: Exchange, timezone: str) -> list[Phase]:
    """What is done to exchange one group, in one portion.

    Raises:
        TargetError: as `change_grain`.
    """
    request = _request(policy, group, group.spans, timezone)
    require_free(connection, request)
    return replacement(connection, request.copy(connection))


def _request(policy: Policy, group: Exchange, spans: Sequence[Span], timezone: str) -> Request:
    old = tuple(leaf.identifier for leaf in group.leaves)
    return Request("regrain", policy, timezone, old, tuple(spans))


def _table(url: str, policy: Policy, timezone: str) -> Table:
    with connect(url) as connection:
        return read_catalog(connection, [policy], timezone).tables[policy.name]


def require_replaceable(table: Table, leaves: Iterable[Leaf]) -> None:
    """Refuse leaves that are not attached as plain tables, whole days long, without a DEFAULT beside them.

    Raises:
        TargetError: naming the leaf.
    """
    if table.default is not None:
        raise TargetError(
            f"{table.name} has a DEFAULT partition, {table.default.qualified}: each new leaf would have it scanned",
            remedy=f"run cauri partitions rescue {table.name.rpartition('.')[2]} first",
        )
    attached = {leaf.qualified: leaf for leaf in table.leaves}
    for leaf in leaves:
        found = attached.get(leaf.qualified)
        if found is None:
            raise TargetError(f"{leaf.qualified} is not a leaf of {table.name}", remedy="see cauri partitions list")
        if not found.ordinary or found.detaching or found.span is None:
            raise TargetError(
                f"{leaf.qualified} cannot be replaced: it is foreign, divided itself, about to be detached,"
                " or its bounds are not whole days",
                remedy="detach it, then adopt its rows",
            )
