"""Transactions as arrays: a block of clients by moment, or of their counterparts."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.sorting import sorted_places
from ml.features.sums import AmountSums, AmountWindow
from ml.features.timeline import DAY, REACH, Floats, Ints, Number, Timeline, share

# What is usual for a client is what it did so long, without its last two weeks, in which a fraud may have gone on.
USUAL_DAYS, RECENT_DAYS = 90, 14
# A normal deviate of twice the mean is rare, and five times the mean common among frauds by a stolen credential.
HIGH = 2.5


@dataclass(frozen=True)
class View:
    """What the families of features that look at a client read.

    `frame`: all transactions of some clients, by client and moment. `asked`: those whose features are wanted, None if
    all; the others are their history. `moment`: milliseconds since 1970. `minor`: the amount in minor units, not
    negative. `clients`: numbers of the clients, from 0. `pair`: the rows by client and beneficiary; no beneficiary is
    the entity 0. `every` is asked for all rows, and `client` for those that are wanted.
    """

    frame: pl.DataFrame
    asked: Ints | None
    moment: Ints
    clients: Ints
    minor: Ints
    every: Timeline
    client: Timeline
    pair: Timeline
    _paid: dict[int, AmountWindow] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, frame: pl.DataFrame, asked: Ints | None = None) -> "View":
        """Of transactions by client and moment."""
        moment = frame["transaction_ts"].dt.epoch("ms").to_numpy()
        clients = entity(frame, "client")
        # From 0 up, so that they have few digits to be sorted by.
        clients = clients - clients[:1]
        minor = np.maximum(frame["amount_minor"].to_numpy(), 0)
        every = Timeline.of(clients, moment)
        return cls(
            frame,
            asked,
            moment,
            clients,
            minor,
            every,
            every.at(asked),
            _within(clients, entity(frame, "beneficiary"), moment),
        )

    def pick(self, by_row: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Values of all rows, of those that are wanted."""
        return by_row if self.asked is None else by_row.take(self.asked)

    @cached_property
    def told(self) -> pl.DataFrame:
        """The rows that are wanted."""
        return self.frame if self.asked is None else self.frame[self.asked]

    def line_of(self, column: str) -> Timeline:
        """The rows by client and a column."""
        return _within(self.clients, entity(self.frame, column), self.moment)

    def paid(self, days: int) -> AmountWindow:
        """What the client paid in [t - days, t)."""
        if days not in self._paid:
            self._paid[days] = self._amounts.window(self.client.back(days * DAY))
        return self._paid[days]

    @cached_property
    def _amounts(self) -> AmountSums:
        return AmountSums.of(self.minor, self.client.now)

    @cached_property
    def usual_mean(self) -> Floats:
        """Of all rows: mean amount of the client of [t - 90 d, t - 14 d)."""
        since, until = self.every.back(USUAL_DAYS * DAY), self.every.back(RECENT_DAYS * DAY)
        return AmountSums.of(self.minor, until).window(since).mean

    @cached_property
    def to_usual(self) -> Floats:
        """Of all rows: the amount over that."""
        return share(self.minor, self.usual_mean)

    @cached_property
    def is_high(self) -> npt.NDArray[np.bool_]:
        """Of all rows: is it far above that? Not if nothing is known."""
        return self.to_usual > HIGH

    @cached_property
    def gaps(self) -> tuple[Ints, Ints]:
        """Of all rows: milliseconds since the previous and until the next one of the pair; beyond windows if none."""
        pair = self.pair
        between = np.full(len(pair.key) + 1, REACH, np.int64)
        follows = ~pair.opens[1:]
        between[1:-1][follows] = np.diff(pair.key)[follows]
        return pair.by_row(between[:-1]), pair.by_row(between[1:])

    @property
    def unit(self) -> Floats:
        """Units of the currency in a minor unit."""
        return share(self.told["amount"].to_numpy(), self.told["amount_minor"].to_numpy())

    def where_known(self, column: str, values: Floats) -> Floats:
        """Values of the rows that have something in a column; NaN elsewhere."""
        return np.where(self.pick(self.known(column)), values, np.nan) if self.frame[column].null_count() else values

    def known(self, column: str) -> npt.NDArray[np.bool_]:
        """All rows: has it a value in a column?"""
        values = self.frame[column]
        return values.is_not_null().to_numpy() if values.null_count() else np.ones(len(values), bool)

    def is_empty(self, column: str) -> bool:
        """Has no row a value in a column?"""
        return self.frame[column].null_count() == self.frame.height

    @property
    def unknown(self) -> Floats:
        """NaN for every row that is wanted."""
        return np.full(len(self.client.own), np.nan)


def entity(frame: pl.DataFrame, column: str) -> Ints:
    """A column of keys as numbers from 0, which is no key."""
    return _integers(frame[column])


def names(frame: pl.DataFrame, column: str) -> tuple[Ints, dict[int, str | None]]:
    """A column of a few names as numbers, and the name of each of those; 0 is none."""
    given = frame[column].cast(pl.Categorical)
    number = _integers(given.to_physical())
    number += 1
    if given.null_count():
        number[given.is_null().to_numpy()] = 0
    return number, {one: given[int(np.argmax(number == one))] for one in distinct(number)}


def _integers(values: pl.Series) -> Ints:
    """Of a column, 0 where there is none. NumPy converts in half of the time of Polars, and waits for no thread."""
    return (values.fill_null(0) if values.null_count() else values).to_numpy().astype(np.int64)


def distinct(numbers: Ints) -> list[int]:
    """The numbers there are, from 0 up, the smallest first."""
    is_dense = numbers.max(initial=0) <= len(numbers)
    there: list[int] = (np.flatnonzero(np.bincount(numbers)) if is_dense else np.unique(numbers)).tolist()
    return there


def _within(clients: Ints, others: Ints, moment: Ints) -> Timeline:
    """Rows of a client in the order of their moments stay so when they are told apart further."""
    both = clients * (int(others.max(initial=0)) + 1) + others
    return Timeline.of(both, moment, sorted_places(both))
