"""What to generate: how many rows, which months, which dialect, how much dirt."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from sample.dice import apportion

DIALECTS, FORMATS, COMPRESSIONS = ("iso", "french", "mixed"), ("csv", "parquet"), ("none", "gzip", "zstd")
ROWS_PER_CLIENT = 250
FEWEST_CLIENTS, MOST_CLIENTS = 200, 60_000
MONTHLY_GROWTH = 0.025
# January to December: the year-end peak, the thin weeks of January and August.
SEASON = (0.93, 0.95, 1.0, 1.0, 1.0, 1.02, 0.98, 0.92, 1.0, 1.02, 1.05, 1.24)


@dataclass(frozen=True)
class SamplePlan:
    """`rows` is the number of transaction rows read over all files, bad and repeated ones included."""

    rows: int
    seed: int = 1
    dialect: Literal["iso", "french", "mixed"] = "iso"
    start: date = date(2024, 1, 1)
    months: int = 24
    clients: int | None = None
    dirty_share: float = 0.002
    duplicate_share: float = 0.002
    update_share: float = 0.01
    format: Literal["csv", "parquet"] = "csv"
    compression: Literal["none", "gzip", "zstd"] = "none"

    def __post_init__(self) -> None:
        _require(self.rows >= 1, f"rows is {self.rows}: expected 1 or more")
        _require(self.months >= 1, f"months is {self.months}: expected 1 or more")
        _require(self.seed >= 0, f"seed is {self.seed}: expected 0 or more")
        _require(self.start.day == 1, f"start is {self.start}: expected the first day of a month")
        _require(self.start.year >= 2001, f"start is {self.start}: expected 2001 or later")
        _require(self.clients is None or self.clients >= 1, f"clients is {self.clients}: expected 1 or more")
        for name, choices in (("dialect", DIALECTS), ("format", FORMATS), ("compression", COMPRESSIONS)):
            found = getattr(self, name)
            _require(found in choices, f"{name} is {found!r}: expected one of {', '.join(choices)}")
        shares = self.dirty_share, self.duplicate_share, self.update_share
        _require(min(shares) >= 0, f"shares are {shares}: expected 0 or more")
        altered = self.dirty_share + self.duplicate_share + 3 * self.update_share
        _require(altered <= 0.5, f"shares are {shares}: expected dirty + duplicate + 3 * update of 0.5 at most")

    @property
    def client_count(self) -> int:
        if self.clients is not None:
            return self.clients
        return min(max(self.rows // ROWS_PER_CLIENT, FEWEST_CLIENTS), MOST_CLIENTS)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"start": self.start.isoformat(), "clients": self.client_count}


def month_starts(plan: SamplePlan) -> list[date]:
    """The first day of each month, and of the month after the last."""
    return [add_months(plan.start, offset) for offset in range(plan.months + 1)]


def add_months(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def rows_by_month(plan: SamplePlan) -> list[int]:
    starts = month_starts(plan)
    weights = [
        (1 + MONTHLY_GROWTH) ** index * SEASON[first.month - 1] * (after - first).days
        for index, (first, after) in enumerate(pairwise(starts))
    ]
    return [int(count) for count in apportion(np.array(weights), plan.rows)]


def random_stream(plan: SamplePlan, *path: int) -> np.random.Generator:
    """A stream of its own for each part and month, so that one part never shifts the dice of another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, *path])))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
