"""Which leaf a day belongs to: spans of days, and the grains that cut time into them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """The days that one leaf covers: from `first` to before `end`."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.first:
            raise ValueError(f"a span must end after it begins: {self.first} to {self.end}")

    @property
    def grain(self) -> "Grain | None":
        """The grain that this span is one unit of; None for a span cut by hand."""
        return next((grain for grain in Grain if grain.span_of(self.first) == self), None)

    @property
    def first_key(self) -> int:
        """Lower bound as a `date_key`, inclusive: YYYYMMDD."""
        return date_key(self.first)

    @property
    def end_key(self) -> int:
        """Upper bound as a `date_key`, exclusive."""
        return date_key(self.end)

    @property
    def suffix(self) -> str:
        """What the name of a leaf says of its days: 2024_01_15, 2024_w03, 2024_01, 2024_q1, 2024 or first_end."""
        first, grain = self.first, self.grain
        if grain is None:
            return f"{self.first_key}_{self.end_key}"
        if grain is Grain.WEEK:
            year, week, _ = first.isocalendar()
            return f"{year:04d}_w{week:02d}"
        if grain is Grain.QUARTER:
            return f"{first.year:04d}_q{(first.month + 2) // 3}"
        return first.strftime({Grain.DAY: "%Y_%m_%d", Grain.MONTH: "%Y_%m", Grain.YEAR: "%Y"}[grain])

    def leaf_of(self, table: str) -> str:
        """Name of the leaf of `table` (with or without its schema) for these days, without a schema."""
        return f"{table.rpartition('.')[2]}_{self.suffix}"

    def overlaps(self, other: "Span") -> bool:
        return self.first < other.end and other.first < self.end

    def covers(self, other: "Span") -> bool:
        return self.first <= other.first and other.end <= self.end

    def __str__(self) -> str:
        return self.suffix.replace("_", "-") if self.grain else f"{self.first} to {self.end}"


class Grain(StrEnum):
    """How long a leaf is. Weeks are those of ISO 8601: they begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    def span_of(self, day: date) -> Span:
        """The unit of this grain that `day` lies in."""
        first = self._floor(day)
        return Span(first, self._after(first))

    def spans(self, first: date, end: date) -> Iterator[Span]:
        """Every unit that has a day in [first, end), oldest first."""
        span = self.span_of(first)
        while span.first < end:
            yield span
            span = self.span_of(span.end)

    def back(self, day: date, units: int) -> date:
        """The beginning of the unit that lies `units` before the one of `day`."""
        first = self._floor(day)
        for _ in range(units):
            first = self._floor(first - ONE_DAY)
        return first

    def ahead(self, day: date, units: int) -> date:
        """The end of the unit that lies `units` after the one of `day`."""
        end = self.span_of(day).end
        for _ in range(units):
            end = self._after(end)
        return end

    def _floor(self, day: date) -> date:
        match self:
            case Grain.DAY:
                return day
            case Grain.WEEK:
                return day - timedelta(days=day.weekday())
            case Grain.MONTH:
                return day.replace(day=1)
            case Grain.QUARTER:
                return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
            case Grain.YEAR:
                return day.replace(month=1, day=1)

    def _after(self, first: date) -> date:
        if self in (Grain.DAY, Grain.WEEK):
            return first + timedelta(days=1 if self is Grain.DAY else 7)
        months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[self]
        year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
        return date(year, month + 1, 1)


_SUFFIXES = (
    (re.compile(r"(\d{4})_(\d\d)_(\d\d)"), lambda y, m, d: Grain.DAY.span_of(date(y, m, d))),
    (re.compile(r"(\d{4})_w(\d\d)"), lambda y, w: Grain.WEEK.span_of(date.fromisocalendar(y, w, 1))),
    (re.compile(r"(\d{4})_(\d\d)"), lambda y, m: Grain.MONTH.span_of(date(y, m, 1))),
    (re.compile(r"(\d{4})_q([1-4])"), lambda y, q: Grain.QUARTER.span_of(date(y, q * 3, 1))),
    (re.compile(r"(\d{4})"), lambda y: Grain.YEAR.span_of(date(y, 1, 1))),
    (re.compile(r"(\d{8})_(\d{8})"), lambda first, end: Span(day_of(first), day_of(end))),
)


def span_named(name: str, table: str) -> Span | None:
    """The span that `Span.leaf_of` gave this name; None if it is not such a name of a leaf of `table`."""
    prefix = f"{table.rpartition('.')[2]}_"
    if not name.startswith(prefix):
        return None
    for pattern, made in _SUFFIXES:
        match = pattern.fullmatch(name.removeprefix(prefix))
        if match:
            try:
                span = made(*map(int, match.groups()))
            except ValueError:
                return None
            return span if span.leaf_of(table) == name else None
    return None


def date_key(day: date) -> int:
    """A day as YYYYMMDD."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(key: int) -> date:
    """The day of a `date_key`.

    Raises:
        ValueError: there is no such day.
    """
    return date(key // 10_000, key // 100 % 100, key % 100)
