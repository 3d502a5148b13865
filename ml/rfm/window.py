"""Days of a segmentation: the 12 months before it, and which days the warehouse allows."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.connection import Connection
from warehouse.errors import ConfigurationError, DataRefusedError
from warehouse.queries import query

MONTHS = 12


def months_after(day: date, months: int) -> date:
    """The same day so many months later (earlier, if negative), or the last of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def key_of(day: date) -> int:
    """As `date_key` has it."""
    return day.year * 10_000 + day.month * 100 + day.day


@dataclass(frozen=True)
class Window:
    """The days that count: `since` and after, before `as_of`."""

    as_of: date

    @property
    def since(self) -> date:
        return months_after(self.as_of, -MONTHS)


def data_days(connection: Connection) -> tuple[date, date]:
    """First and last day with a successful transaction.

    Raises:
        DataRefusedError: there is none.
    """
    row = connection.execute(query("segments/days")).fetchone()
    if row is None or row[0] is None:
        raise DataRefusedError(
            "the warehouse holds no successful transaction: there is nobody to segment",
            remedy="load some first: cauri load DIRECTORY",
        )
    first, last = (date(key // 10_000, key // 100 % 100, key % 100) for key in row)
    return first, last


def window_of(asked: date | None, first: date, last: date, today: date) -> Window:
    """The window that ends before the day asked for; by default before the month that follows the data.

    Raises:
        ConfigurationError: the day is in the future, or no transaction is older.
    """
    as_of = asked or _default(first, last, today)
    if as_of > today:
        raise ConfigurationError(
            f"{as_of} has not come yet: today is {today} in the business time zone",
            remedy=f"--as-of takes a day after {first} and not after {today}; its own transactions do not count",
        )
    if as_of <= first:
        raise ConfigurationError(
            f"no successful transaction is older than {as_of}: the first is of {first}",
            remedy=f"--as-of takes a day after {first}; the last transaction is of {last}",
        )
    return Window(as_of)


def _default(first: date, last: date, today: date) -> date:
    """The first of the month that the data have reached, so that whole months are compared."""
    reached = min(last + timedelta(days=1), today)
    month = reached.replace(day=1)
    return month if month > first else reached
