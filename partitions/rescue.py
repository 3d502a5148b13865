"""Rescue of a DEFAULT partition: its rows get leaves of their days, online, and it goes."""

from dataclasses import dataclass
from typing import Any

from partitions.catalog import Leaf, Table, read_catalog
from partitions.exchanges import MOST_LEAVES
from partitions.grain import Span
from partitions.keys import Keys, keys_of
from partitions.layout import Layout
from partitions.phases import Phase, replacement
from partitions.policy import Policy
from partitions.replace import Request, replace, require_free
from partitions.swap import Replaced
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import DataRefusedError, NothingToDoError, TargetError


@dataclass(frozen=True)
class Found:
    """What a DEFAULT partition holds: its keys, and the leaves that they need."""

    default: Leaf
    spans: tuple[Span, ...]
    keys: Keys


@dataclass(frozen=True)
class Rescued:
    """What was done, and rows that stay in the DEFAULT partition, by reason."""

    swaps: tuple[Replaced, ...]
    homeless: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"swaps": [swap.to_json() for swap in self.swaps], "homeless": self.homeless}


def rescue_default(url: str, policy: Policy, timezone: str) -> Rescued:
    """Give the rows of the DEFAULT partition leaves of their days, and drop it; each reader sees each row once.

    The caller holds the writer lock. Rows without a day stay, in a DEFAULT partition that has nothing else. Leaves are
    made at most `MOST_LEAVES` at a time: what is done stays done if a later portion fails.

    Raises:
        NothingToDoError: there is no DEFAULT partition.
        DataRefusedError: none of its rows has a day.
        TargetError, TransientTargetError: as for a change of grain.
    """
    swaps: list[Replaced] = []
    found = _worth_while(look(url, policy, timezone))
    while True:
        swaps.append(replace(url, _request(policy, found, found.spans[:MOST_LEAVES], timezone)))
        if not swaps[-1].rest_rows:
            return Rescued(tuple(swaps), {})
        found = look(url, policy, timezone)
        if not found.spans:
            return Rescued(tuple(swaps), found.keys.homeless)


def phases_of(url: str, policy: Policy, timezone: str) -> list[Phase]:
    """What `rescue_default` would do, leaves in one portion; the same errors."""
    with connect(url) as connection, translated():
        return rescue_phases(connection, policy, timezone)


def rescue_phases(connection: Connection, policy: Policy, timezone: str) -> list[Phase]:
    """As `phases_of`; the keys of the DEFAULT partition are read."""
    found = _worth_while(_found(connection, policy, timezone))
    request = _request(policy, found, found.spans, timezone)
    require_free(connection, request)
    return replacement(connection, request.copy(connection))


def _request(policy: Policy, found: Found, spans: tuple[Span, ...], timezone: str) -> Request:
    rest = sql.Identifier("staging", found.default.name)
    return Request("rescue", policy, timezone, (found.default.identifier,), spans, rest)


def _worth_while(found: Found) -> Found:
    if not found.spans and found.keys.homeless:
        raise DataRefusedError(
            f"{found.default.qualified}: {found.keys.told()}; no row of it can get a leaf",
            remedy="correct or delete these rows, then run the command again",
            homeless=found.keys.homeless,
        )
    return found


def look(url: str, policy: Policy, timezone: str) -> Found:
    """What the DEFAULT partition of a table holds.

    Raises:
        NothingToDoError: there is none.
        TargetError: a leaf beside it has bounds that are not whole days.
    """
    with connect(url) as connection, translated():
        return _found(connection, policy, timezone)


def _found(connection: Connection, policy: Policy, timezone: str) -> Found:
    table = read_catalog(connection, [policy], timezone).tables[policy.name]
    if table.default is None:
        raise NothingToDoError(f"{policy.name} has no DEFAULT partition")
    _require_whole_days(table)
    keys = keys_of(connection, policy, table.default.identifier, timezone)
    layout = Layout(policy.grain, [leaf.span for leaf in table.leaves if leaf.span])
    return Found(table.default, tuple(sorted({layout.span_of(day) for day in keys.found})), keys)


def _require_whole_days(table: Table) -> None:
    odd = [leaf.qualified for leaf in table.leaves if leaf.span is None]
    if odd:
        raise TargetError(
            f"{table.name}: the bounds of {', '.join(odd)} are not whole days", remedy="detach it, then adopt its rows"
        )
