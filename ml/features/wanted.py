"""Of all rows that are read, those whose features are wanted; the others are their history."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.timeline import Ints


@dataclass(frozen=True)
class Wanted:
    """Rows whose features are wanted, of all."""

    rows: Ints
    is_one: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, frame: pl.DataFrame, since: int) -> "Wanted":
        """Those from a day on."""
        is_one = (frame["date_key"] >= since).to_numpy()
        return cls(np.flatnonzero(is_one), is_one)

    @cached_property
    def place(self) -> Ints:
        """Row -> position among `rows`, meaningless for the others."""
        return np.cumsum(self.is_one) - 1

    @property
    def is_all(self) -> bool:
        return len(self.rows) == len(self.is_one)

    def within(self, block: slice) -> slice:
        """Positions of those of a block."""
        since, until = np.searchsorted(self.rows, [block.start, block.stop]).tolist()
        return slice(since, until)

    def among(self, rows: Ints | slice) -> Ints | None:
        """Positions of those among some rows; None is all."""
        return None if self.is_all else np.flatnonzero(self.is_one[rows])
