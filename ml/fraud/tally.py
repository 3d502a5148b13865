"""What a run of scoring did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ml.fraud.thresholds import BANDS

PARTS = ("read and features", "score and explain", "wait for writes")


@dataclass
class Scored:
    """What was scored."""

    model_version: str
    shadow_version: str | None = None
    shadow_problem: str | None = None
    transactions: int = 0
    shadow_transactions: int = 0
    bands: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BANDS, 0))
    days: int = 0
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the seconds of a block to a part; parts that overlap add up to more than `seconds`."""
        begun = time.perf_counter()
        yield
        self.parts[part] += time.perf_counter() - begun

    def count(self, scores: pl.DataFrame, shadow: pl.DataFrame | None, days: int) -> None:
        """Take over scores that were written."""
        self.transactions += scores.height
        self.shadow_transactions += 0 if shadow is None else shadow.height
        self.days += days
        for band, rows in scores["band"].value_counts().iter_rows():
            self.bands[band] += rows

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        rate = round(self.transactions / self.seconds) if self.seconds else 0
        parts = {part: round(seconds, 3) for part, seconds in self.parts.items()}
        return {**vars(self), "seconds": round(self.seconds, 3), "parts": parts, "rows_per_second": rate}

    def in_words(self) -> str:
        """The line that a person reads."""
        bands = ", ".join(f"{rows:,} {band}" for band, rows in self.bands.items())
        return (
            f"Scored {self.transactions:,} transactions of {self.days:,} days by model {self.model_version}: {bands};"
            f" {self.seconds:.1f} s, {self.to_json()['rows_per_second']:,} rows/s.{self._of_shadow()}"
        )

    def _of_shadow(self) -> str:
        if self.shadow_version is None:
            return ""
        if self.shadow_problem:
            return f"\nThe shadow {self.shadow_version} did not score: {self.shadow_problem}"
        return f"\nThe shadow {self.shadow_version} scored {self.shadow_transactions:,} of them: cauri fraud shadow."
