"""Which days a model learns from, is calibrated on and gets its limits on: each after the one before, labels known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from warehouse.errors import TrainingError

# Of transactions in the training window, where its days are not given. A row takes about 1 kB while features are made.
ROWS_AT_MOST = 2_000_000


@dataclass(frozen=True)
class Days:
    """Days from `since` to before `until`."""

    since: date
    until: date

    @property
    def number(self) -> int:
        return (self.until - self.since).days

    def to_json(self) -> dict[str, Any]:
        """For a manifest."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}


@dataclass(frozen=True)
class Windows:
    """The windows of a training, in the order of time."""

    train: Days
    calibration: Days
    threshold: Days


@dataclass(frozen=True)
class Lengths:
    """In days. `delay`: after so many the labels of a day are known; nothing is learned from a day before that."""

    train: int | None = None
    calibration: int = 28
    threshold: int = 28
    delay: int = 7


def windows(rows_by_day: dict[date, int], until: date, lengths: Lengths) -> Windows:
    """The windows, as of the beginning of `until`.

    The model is trained as it would have been on the first day of calibration: a delay before it. Without a length the
    training window begins where it has two million transactions.

    Raises:
        TrainingError: a window would have no transactions.
    """
    known = until - timedelta(days=lengths.delay)
    threshold = Days(known - timedelta(days=lengths.threshold), known)
    calibration = Days(threshold.since - timedelta(days=lengths.calibration), threshold.since)
    end = calibration.since - timedelta(days=lengths.delay)
    there = sorted(day for day in rows_by_day if day < until)
    if not there:
        raise TrainingError(
            f"the warehouse has no transactions before {until}", remedy="cauri load, or a later --as-of"
        )
    begin = newest_with(rows_by_day, end) if lengths.train is None else end - timedelta(days=lengths.train)
    train = Days(min(max(begin, there[0]), end - timedelta(days=1)), end)
    found = Windows(train, calibration, threshold)
    for name in ("train", "calibration", "threshold"):
        _require_rows(name, getattr(found, name), rows_by_day, there)
    return found


def newest_with(rows_by_day: Mapping[date, int], end: date) -> date:
    """The day from which on there are two million transactions before `end`, or the first one."""
    rows, begin = 0, end
    for day in sorted((day for day in rows_by_day if day < end), reverse=True):
        rows += rows_by_day[day]
        if rows > ROWS_AT_MOST and begin < end:
            break
        begin = day
    return begin


def _require_rows(name: str, days: Days, rows_by_day: dict[date, int], there: list[date]) -> None:
    if not any(days.since <= day < days.until for day in there):
        raise TrainingError(
            f"the {name} window, {days.since} to before {days.until}, has no transactions; there are some from"
            f" {there[0]} to {there[-1]}",
            remedy="give another --as-of, or fewer --days, --calibration-days, --threshold-days or --delay-days",
            window=name,
        )
