"""Rescue of a DEFAULT partition: its rows get leaves of their days, online, and it goes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from partitions.bounds import zone_of
from partitions.catalog import Leaf, Table, read_catalog
from partitions.grain import Span, day_of
from partitions.layout import Layout
from partitions.policy import KeyKind, Policy
from partitions.regrain import MOST_LEAVES
from partitions.replace import Replaced, Request, replace
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import DataRefusedError, NothingToDoError, TargetError

# A day outside of these is a mistake of the source: its leaf would be made for one wrong row.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Found:
    """What a DEFAULT partition holds: the leaves that its rows need, and rows by the reason why they get none."""

    default: Leaf
    spans: tuple[Span, ...]
    homeless: dict[str, int] = field(default_factory=dict)


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
    found = look(url, policy, timezone)
    if not found.spans and found.homeless:
        raise DataRefusedError(
            f"{found.default.qualified}: {_told(found.homeless)}; no row of it can get a leaf",
            remedy="correct or delete these rows, then run the command again",
            homeless=found.homeless,
        )
    while True:
        portion = found.spans[:MOST_LEAVES]
        old = (sql.Identifier(found.default.schema, found.default.name),)
        rest = sql.Identifier("staging", found.default.name)
        swaps.append(replace(url, Request("rescue", policy, timezone, old, portion, rest)))
        if not swaps[-1].rest_rows:
            return Rescued(tuple(swaps), {})
        found = look(url, policy, timezone)
        if not found.spans:
            return Rescued(tuple(swaps), found.homeless)


def _told(homeless: dict[str, int]) -> str:
    return ", ".join(f"{rows:,} row(s) {reason}" for reason, rows in homeless.items())


def look(url: str, policy: Policy, timezone: str) -> Found:
    """What the DEFAULT partition of a table holds.

    Raises:
        NothingToDoError: there is none.
        TargetError: a leaf beside it has bounds that are not whole days.
    """
    with connect(url) as connection, translated():
        table = read_catalog(connection, [policy], timezone).tables[policy.name]
        if table.default is None:
            raise NothingToDoError(f"{policy.name} has no DEFAULT partition")
        _require_whole_days(table)
        days, homeless = _days(connection, policy, table.default, timezone)
    layout = Layout(policy.grain, [leaf.span for leaf in table.leaves if leaf.span])
    return Found(table.default, tuple(sorted({layout.span_of(day) for day in days})), homeless)


def _require_whole_days(table: Table) -> None:
    odd = [leaf.qualified for leaf in table.leaves if leaf.span is None]
    if odd:
        raise TargetError(
            f"{table.name}: the bounds of {', '.join(odd)} are not whole days", remedy="detach it, then adopt its rows"
        )


def _days(connection: Connection, policy: Policy, default: Leaf, timezone: str) -> tuple[set[date], dict[str, int]]:
    key: sql.Composable = sql.Identifier(policy.key)
    if policy.key_kind is KeyKind.MOMENT:
        zone = sql.Literal(zone_of(policy, timezone).key)
        key = sql.SQL("CASE WHEN isfinite({key}) THEN {key} AT TIME ZONE {zone} ELSE {key}::timestamp END").format(
            key=key, zone=zone
        )
    # As text: Python knows neither infinity nor years before 1 or after 9999.
    day = sql.SQL("{}::text" if policy.key_kind is KeyKind.DATE_KEY else "({})::date::text").format(key)
    rows = connection.execute(
        sql.SQL("SELECT {}, count(*) FROM ONLY {} GROUP BY 1").format(day, sql.Identifier(default.schema, default.name))
    ).fetchall()
    return sorted_out(policy, rows)


def sorted_out(policy: Policy, rows: Iterable[tuple[str | None, int]]) -> tuple[set[date], dict[str, int]]:
    """Days that can get a leaf, and the number of other rows by reason."""
    days: set[date] = set()
    homeless: dict[str, int] = {}
    for text, count in rows:
        day = _day(policy, text)
        if day is not None and FIRST_DAY <= day <= LAST_DAY:
            days.add(day)
            continue
        reason = "without a key" if text is None else "whose key is no day"
        if day is not None:
            reason = f"whose day is not between {FIRST_DAY} and {LAST_DAY}"
        homeless[reason] = homeless.get(reason, 0) + count
    return days, homeless


def _day(policy: Policy, text: str | None) -> date | None:
    try:
        if text is None:
            return None
        return day_of(int(text)) if policy.key_kind is KeyKind.DATE_KEY else date.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
