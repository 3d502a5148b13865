"""The days of a table's rows, as far as its keys are days at all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from partitions.bounds import zone_of
from partitions.grain import day_of
from partitions.policy import KeyKind, Policy
from warehouse.connection import Connection, sql
from warehouse.errors import TargetError

# A day outside of these is a mistake of the source: its leaf would be made for one wrong row.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Keys:
    """Days that can have a leaf, and the number of other rows by the reason why they can have none."""

    found: frozenset[date] = frozenset()
    homeless: dict[str, int] = field(default_factory=dict)

    @property
    def days(self) -> tuple[date, date] | None:
        """First and last day; None without any row."""
        return (min(self.found), max(self.found)) if self.found else None

    def told(self) -> str:
        """The rows without a day, for a person."""
        return ", ".join(f"{rows:,} row(s) {reason}" for reason, rows in self.homeless.items())


def keys_of(connection: Connection, policy: Policy, table: sql.Identifier, timezone: str) -> Keys:
    """Read the keys of a table. `timezone` is the business time zone."""
    key: sql.Composable = sql.Identifier(policy.key)
    if policy.key_kind is KeyKind.MOMENT:
        zone = sql.Literal(zone_of(policy, timezone).key)
        key = sql.SQL("CASE WHEN isfinite({key}) THEN {key} AT TIME ZONE {zone} ELSE {key}::timestamp END").format(
            key=key, zone=zone
        )
    # As text: Python knows neither infinity nor years before 1 or after 9999.
    day = sql.SQL("{}::text" if policy.key_kind is KeyKind.DATE_KEY else "({})::date::text").format(key)
    rows = connection.execute(sql.SQL("SELECT {}, count(*) FROM ONLY {} GROUP BY 1").format(day, table)).fetchall()
    return sorted_out(policy, rows)


def sorted_out(policy: Policy, rows: Iterable[tuple[str | None, int]]) -> Keys:
    """Keys as text, with their rows, into days and reasons."""
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
    return Keys(frozenset(days), homeless)


def _day(policy: Policy, text: str | None) -> date | None:
    try:
        if text is None:
            return None
        return day_of(int(text)) if policy.key_kind is KeyKind.DATE_KEY else date.fromisoformat(text)
    except (ValueError, OverflowError):
        return None


def require_days(name: str, keys: Keys) -> None:
    """Refuse a table with rows that no leaf can take.

    Raises:
        TargetError: counting them.
    """
    if keys.homeless:
        raise TargetError(
            f"{name} has {keys.told()}", remedy="correct or delete these rows, then run the command again"
        )
