"""What a loader must find in the files: counts by outcome, sums by currency, status and month."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sample import rows, versions
from sample.calendar import Month
from sample.catalogue import STATUSES
from sample.dice import Array, Ints
from sample.dirt import REASONS
from sample.places import CURRENCIES
from sample.plan import SamplePlan
from sample.rows import Rows

_CELLS = len(CURRENCIES) * len(STATUSES)
# Sums are taken in two halves: numpy adds weights as floats, which are exact below 2**53 only.
_HALF_BITS = 20


@dataclass
class Counts:
    """Outcomes of the rows of a file or feed: read = loaded + updated + repeated + rejected."""

    read: int = 0
    loaded: int = 0
    updated: int = 0
    repeated: int = 0
    rejected: int = 0
    rejected_by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        self.read += other.read
        self.loaded += other.loaded
        self.updated += other.updated
        self.repeated += other.repeated
        self.rejected += other.rejected
        for reason, count in other.rejected_by_reason.items():
            self.rejected_by_reason[reason] = self.rejected_by_reason.get(reason, 0) + count


@dataclass(frozen=True)
class Truth:
    """The content of truth.json."""

    plan: dict[str, Any]
    feeds: dict[str, Counts]
    files: dict[str, Counts]
    transactions: dict[str, Any]
    fraud: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass
class Tally:
    """The truth while it is being gathered, file by file."""

    feeds: dict[str, Counts] = field(default_factory=dict)
    files: dict[str, Counts] = field(default_factory=dict)
    fraud: Counter[str] = field(default_factory=Counter)
    by_month: dict[str, dict[str, int]] = field(default_factory=dict)
    cells: Ints = field(default_factory=lambda: np.zeros((3, _CELLS), dtype=np.int64))

    def add_file(self, feed: str, name: str, counts: Counts) -> None:
        self.files[name] = counts
        self.feeds.setdefault(feed, Counts()).add(counts)

    def add_transactions(self, month: Month, table: Rows, name: str) -> None:
        self.add_file("transactions", name, count_transactions(table))
        loaded = rows.take(table, np.flatnonzero(table["fate"] == rows.LOADED))
        updates = rows.take(table, np.flatnonzero(table["fate"] == rows.UPDATED))
        self.cells += _cells(loaded, loaded["status"])
        self.cells += _cells(updates, updates["status"]) - _cells(updates, versions.status_before(updates["status"]))
        amount = int(loaded["amount"].sum())
        self.by_month[f"{month.first:%Y-%m}"] = {"count": rows.count(loaded), "amount_minor": amount}

    def truth(self, plan: SamplePlan) -> Truth:
        transactions = {"by_currency_status": self._by_currency_status(), "by_month": self.by_month}
        return Truth(plan.as_json(), self.feeds, self.files, transactions, dict(self.fraud))

    def _by_currency_status(self) -> dict[str, dict[str, dict[str, int]]]:
        names = ("count", "amount_minor", "commission_minor")
        grid = self.cells.reshape(3, len(CURRENCIES), len(STATUSES))
        return {
            currency: {
                status: {name: int(grid[i, c, s]) for i, name in enumerate(names)}
                for s, status in enumerate(STATUSES)
                if grid[0, c, s]
            }
            for c, currency in enumerate(CURRENCIES)
        }


def count_transactions(table: Rows) -> Counts:
    fates = np.bincount(table["fate"], minlength=len(rows.FATES))
    reasons = np.bincount(table["reason"][table["fate"] == rows.REJECTED], minlength=len(REASONS))
    by_reason = {REASONS[index]: int(reasons[index]) for index in np.flatnonzero(reasons)}
    loaded, updated, repeated, rejected = (int(fate) for fate in fates)
    return Counts(rows.count(table), loaded, updated, repeated, rejected, by_reason)


def _cells(table: Rows, status: Array) -> Ints:
    cell = table["currency"].astype(np.int64) * len(STATUSES) + status
    count = np.bincount(cell, minlength=_CELLS)
    return np.stack([count, _exact_sums(cell, table["amount"]), _exact_sums(cell, table["commission"])])


def _exact_sums(cell: Ints, values: Array) -> Ints:
    high = np.bincount(cell, values >> _HALF_BITS, minlength=_CELLS).astype(np.int64)
    low = np.bincount(cell, values & ((1 << _HALF_BITS) - 1), minlength=_CELLS).astype(np.int64)
    result: Ints = (high << _HALF_BITS) + low
    return result
