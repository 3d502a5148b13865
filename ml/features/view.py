"""Transactions of a block of clients as arrays, by client and moment."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.compiled import Float, compiled, ratios
from ml.features.pairs import Pairs
from ml.features.sums import means, sums_before
from ml.features.timeline import DAY, Floats, Ints, Marks, Timeline, running

# What is usual for a client is what it did so long, without its last two weeks, in which a fraud may have gone on.
USUAL_DAYS, RECENT_DAYS = 90, 14
# A normal deviate of twice the mean is rare, and five times the mean common among frauds by a stolen credential.
HIGH = 2.5


@dataclass(frozen=True)
class View:
    """What the families of features that look at a client read.

    `frame`: all transactions of some clients, by client and moment. `rows`: those whose features are wanted; the others
    are their history. `moment`: milliseconds since 1970. `minor`: the amount in minor units, not negative. `pairs`: by
    client and beneficiary; no beneficiary is one of its own. `every` is asked for all rows, and `client` for those that
    are wanted. `kind`: of the columns.
    """

    frame: pl.DataFrame
    rows: Ints
    moment: Ints
    minor: Ints
    every: Timeline
    client: Timeline
    pairs: Pairs
    kind: Float

    @classmethod
    def of(cls, frame: pl.DataFrame, asked: Ints | None = None, kind: Float = np.float64) -> "View":
        """Of transactions by client and moment. `asked`: the rows that are wanted, None for all."""
        moment = frame["transaction_ts"].dt.epoch("ms").to_numpy()
        clients = entity(frame, "client")
        # From 0 up, so that they have few digits to be sorted by.
        clients = clients - clients[:1]
        every = Timeline.of(clients, moment)
        return cls(
            frame,
            np.arange(len(moment)) if asked is None else asked,
            moment,
            np.maximum(frame["amount_minor"].to_numpy(), 0),
            every,
            every.at(asked),
            Pairs.of(clients, entity(frame, "beneficiary"), moment, USUAL_DAYS * DAY),
            kind,
        )

    @cached_property
    def told(self) -> pl.DataFrame:
        """The rows that are wanted."""
        return self.frame if len(self.rows) == self.frame.height else self.frame[self.rows]

    @cached_property
    def amounts(self) -> Ints:
        """Sums of the amounts before each row, as `sums_before` has them."""
        return sums_before(self.minor)

    @cached_property
    def usual_mean(self) -> Floats:
        """Of all rows: mean amount of the client of [t - 90 d, t - 14 d)."""
        since, until = self.every.back(USUAL_DAYS * DAY), self.every.back(RECENT_DAYS * DAY)
        return means(self.amounts, since, until)

    @cached_property
    def to_usual(self) -> Floats:
        """Of all rows: the amount over that."""
        return ratios(self.minor, self.usual_mean)

    @cached_property
    def is_high(self) -> Marks:
        """Of all rows: is it far above that? Not if nothing is known."""
        return self.to_usual > HIGH

    @cached_property
    def high_before(self) -> Ints:
        """How many of these are before each position."""
        return running(self.is_high)

    def empty(self, columns: tuple[str, ...]) -> npt.NDArray[Any]:
        """Columns for a loop to fill: a row each."""
        return np.empty((len(columns), len(self.rows)), self.kind)

    def known(self, column: str) -> Marks:
        """All rows: has it a value in a column?"""
        values = self.frame[column]
        return values.is_not_null().to_numpy() if values.null_count() else np.ones(len(values), bool)

    def is_empty(self, column: str) -> bool:
        """Has no row a value in a column?"""
        return self.frame[column].null_count() == self.frame.height


def entity(frame: pl.DataFrame, column: str) -> Ints:
    """A column of keys as numbers from 0, which is no key."""
    return _integers(frame[column])


def numbered(frame: pl.DataFrame, column: str) -> tuple[Ints, int]:
    """A column of keys as numbers from 0, in the same order; and how many numbers there are."""
    return _dense(entity(frame, column))


def named(frame: pl.DataFrame, column: str) -> tuple[Ints, list[str | None]]:
    """A column of names as numbers from 0, and what each of these is."""
    given = frame[column].cast(pl.Categorical)
    code = _integers(given.to_physical())
    code += 1
    if given.null_count():
        code[given.is_null().to_numpy()] = 0
    number, count = _dense(code)
    return number, given.gather(row_of(number, count)).to_list()


@compiled
def row_of(numbers: Ints, count: int) -> Ints:
    """Of each number from 0, a row that has it; 0 if none has."""
    rows = np.zeros(count, np.int64)
    for row in range(len(numbers)):
        rows[numbers[row]] = row
    return rows


def _dense(numbers: Ints) -> tuple[Ints, int]:
    """Numbers from 0 in the same order, no more than a few of which nobody has; and how many there are."""
    if numbers.max(initial=0) <= len(numbers):
        return numbers, int(numbers.max(initial=0)) + 1
    there, number = np.unique(numbers, return_inverse=True)
    return number, len(there)


def _integers(values: pl.Series) -> Ints:
    """Of a column, 0 where there is none. NumPy converts in half of the time of Polars, and waits for no thread."""
    return (values.fill_null(0) if values.null_count() else values).to_numpy().astype(np.int64)
