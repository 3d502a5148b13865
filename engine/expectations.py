"""What a batch is expected to be: declared in `feeds.toml`, for a feed or for each file of a source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.feeds import FEEDS, TRANSACTIONS, Feed
from warehouse.errors import ConfigurationError

SHARE, MIN_ROWS, MAX_ROWS = "max_rejected_share", "min_rows", "max_rows"
SUMMED = ("amount", "commission")
_BOUNDS = ("min", "max", "total")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Bounds:
    """Lowest and highest sum that is acceptable, in units of the currency."""

    lowest: Decimal | None = None
    highest: Decimal | None = None


@dataclass(frozen=True)
class Expectations:
    """Share of refused rows (0 to 1), number of rows read, sums of accepted rows by column and currency.

    None, and what `sums` does not name, is not looked at.
    """

    max_rejected_share: Decimal | None = None
    min_rows: int | None = None
    max_rows: int | None = None
    sums: Mapping[tuple[str, str], Bounds] = field(default_factory=dict)


def name_of(feed: str, *parts: str) -> str:
    """What messages and `--accept` call an expectation, such as `transactions.amount.XOF`."""
    return ".".join((feed, *parts))


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that no expectation can have.

    Raises:
        ConfigurationError: a name is wrong.
    """
    for name in names:
        feed, _, rest = name.partition(".")
        column, _, currency = rest.partition(".")
        is_sum = feed == TRANSACTIONS.name and column in SUMMED and _CURRENCY.fullmatch(currency)
        if feed not in FEEDS or not (rest in (SHARE, MIN_ROWS, MAX_ROWS) or is_sum):
            raise ConfigurationError(
                f"there is no expectation {name!r} to accept",
                remedy=f"names are FEED.{SHARE}, FEED.{MIN_ROWS}, FEED.{MAX_ROWS}, transactions.amount.CURRENCY, ...",
            )


def expectations_by_feed(file_name: str, document: Any) -> dict[str, Expectations]:
    """The table `[expectations]` of a mapping file.

    Raises:
        ConfigurationError: it says something that means nothing.
    """
    if not isinstance(document, dict) or not set(document) <= set(FEEDS):
        raise ConfigurationError(
            f"{file_name}: [expectations] is for feeds, and one of its names is none",
            remedy=f"begin a table with [expectations.FEED]; the feeds are {', '.join(FEEDS)}",
        )
    return {
        name: read_expectations(f"{file_name}, expectations of {name}", FEEDS[name], table)
        for name, table in document.items()
    }


def read_expectations(where: str, feed: Feed, table: Any) -> Expectations:
    """One table of expectations.

    Raises:
        ConfigurationError: an option is unknown, has no meaning, or contradicts another.
    """
    known = (SHARE, MIN_ROWS, MAX_ROWS, *(SUMMED if feed is TRANSACTIONS else ()))
    if not isinstance(table, dict) or not set(table) <= set(known):
        raise ConfigurationError(
            f"{where}: is no table of expectations, or has an unknown one", remedy=f"there are {', '.join(known)}"
        )
    share = _number(where, SHARE, table.get(SHARE))
    if share is not None and not 0 <= share <= 1:
        raise ConfigurationError(
            f"{where}: {SHARE} is {share}", remedy="give a share from 0 to 1: 0.01 is one per cent"
        )
    rows = {name: _count(where, name, table[name]) for name in (MIN_ROWS, MAX_ROWS) if name in table}
    _check_order(where, "rows", rows.get(MIN_ROWS), rows.get(MAX_ROWS))
    sums = {(column, code): bounds for column in SUMMED for code, bounds in _sums(where, column, table.get(column, {}))}
    return Expectations(share, rows.get(MIN_ROWS), rows.get(MAX_ROWS), sums)


def _sums(where: str, column: str, table: Any) -> list[tuple[str, Bounds]]:
    if not isinstance(table, dict) or not all(_CURRENCY.fullmatch(code) for code in table):
        raise ConfigurationError(
            f"{where}: {column} is not by currency", remedy=f"for instance {column}.XOF = {{ min = 1000, max = 2000 }}"
        )
    return [(code, _bounds(f"{where}, {column}.{code}", bounds)) for code, bounds in table.items()]


def _bounds(where: str, table: Any) -> Bounds:
    if not isinstance(table, dict) or not table or not set(table) <= set(_BOUNDS):
        raise ConfigurationError(f"{where}: has no bounds", remedy="give min, max or both; or total, for an exact sum")
    if "total" in table and len(table) > 1:
        raise ConfigurationError(f"{where}: total stands beside min or max", remedy="give either")
    values = {name: _number(where, name, value) for name, value in table.items()}
    lowest, highest = values.get("min", values.get("total")), values.get("max", values.get("total"))
    _check_order(where, "sums", lowest, highest)
    return Bounds(lowest, highest)


def _number(where: str, name: str, value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        # Through text: 0.1 is one tenth, and a number too long for TOML can be written in quotes.
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigurationError(f"{where}: {name} = {value!r} is no number", remedy="write a number, or one in quotes")
    return number


def _count(where: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{where}: {name} = {value!r} is no number of rows", remedy="write a whole number")
    return value


def _check_order(where: str, what: str, lowest: Decimal | int | None, highest: Decimal | int | None) -> None:
    if lowest is not None and highest is not None and lowest > highest:
        raise ConfigurationError(f"{where}: no number of {what} is both at least {lowest} and at most {highest}")
