"""Days as the bounds of a leaf, and back: in the type of the key and the time zone of the table."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from partitions.grain import Span, date_key, day_of
from partitions.policy import KeyKind, Policy
from warehouse.connection import sql

_LONGEST_IDENTIFIER = 63

# PostgreSQL quotes literals of every type but integer, and casts them in a CHECK.
_LITERAL = r"'?([^',()]+?)'?(?:::[a-z ]+)?"
_BOUNDS = re.compile(rf"FOR VALUES FROM \({_LITERAL}\) TO \({_LITERAL}\)")


def bound_literal(policy: Policy, day: date, timezone: str) -> sql.Composable:
    """The beginning of a day as a constant of the key's type; a moment is written in UTC, whatever the session's zone.

    `timezone` is the business time zone; one of the policy's own wins.
    """
    match policy.key_kind:
        case KeyKind.DATE_KEY:
            return sql.Literal(date_key(day))
        case KeyKind.DATE:
            return sql.SQL("{}::date").format(sql.Literal(day.isoformat()))
        case KeyKind.MOMENT:
            moment = _midnight(day, zone_of(policy, timezone))
            return sql.SQL("{}::timestamptz").format(sql.Literal(moment.isoformat(sep=" ")))


def partition_clause(policy: Policy, span: Span, timezone: str) -> sql.Composable:
    """`FOR VALUES FROM (...) TO (...)`, as ATTACH PARTITION wants it."""
    return sql.SQL("FOR VALUES FROM ({}) TO ({})").format(
        bound_literal(policy, span.first, timezone), bound_literal(policy, span.end, timezone)
    )


def check_clause(policy: Policy, span: Span, timezone: str) -> sql.Composable:
    """`CHECK (key >= ... AND key < ...)`: a table that has it, validated, is attached without a scan."""
    return sql.SQL("CHECK ({key} >= {low} AND {key} < {high})").format(
        key=sql.Identifier(policy.key),
        low=bound_literal(policy, span.first, timezone),
        high=bound_literal(policy, span.end, timezone),
    )


def check_name(leaf: str) -> str:
    """Name of the constraint that holds `check_clause` on a leaf."""
    return f"{leaf[: _LONGEST_IDENTIFIER - len('_bounds')]}_bounds"


def span_of_bounds(policy: Policy, bounds: str, timezone: str) -> Span | None:
    """The days of a leaf's bounds as `pg_get_expr` prints them (ISO dates).

    None where they are not whole days of the table's zone: MINVALUE, MAXVALUE, DEFAULT, another hour, several columns.
    """
    match = _BOUNDS.fullmatch(bounds)
    return _span(policy, match, timezone) if match else None


def span_of_check(policy: Policy, check: str, timezone: str) -> Span | None:
    """The days that a CHECK allows, as `pg_get_constraintdef` prints it; None if it is no such CHECK on the key."""
    key = f'"?{policy.key}"?'
    # DETACH ... CONCURRENTLY leaves such a CHECK, too, with IS NOT NULL before it.
    match = re.fullmatch(
        rf"CHECK \(\((?:\({key} IS NOT NULL\) AND )?\({key} >= {_LITERAL}\) AND \({key} < {_LITERAL}\)\)\)", check
    )
    return _span(policy, match, timezone) if match else None


def _span(policy: Policy, match: re.Match[str], timezone: str) -> Span | None:
    first, end = (_day(policy, text, timezone) for text in match.groups())
    return Span(first, end) if first and end and first < end else None


def _day(policy: Policy, text: str, timezone: str) -> date | None:
    try:
        match policy.key_kind:
            case KeyKind.DATE_KEY:
                return day_of(int(text))
            case KeyKind.DATE:
                return date.fromisoformat(text)
            case KeyKind.MOMENT:
                zone = zone_of(policy, timezone)
                moment = datetime.fromisoformat(text)
                day = moment.astimezone(zone).date()
                return day if moment.tzinfo and _midnight(day, zone) == moment else None
    except (ValueError, OverflowError):
        return None


def zone_of(policy: Policy, timezone: str) -> ZoneInfo:
    """The zone in which moments of the table become days."""
    return ZoneInfo(policy.timezone or timezone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where clocks skip midnight this is the moment of the change, where they show it twice the first of the two.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
