"""The other side of transactions: all that some beneficiaries, or some locations, were given, by moment."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.sorting import sorted_places
from ml.features.blocks import blocks
from ml.features.timeline import Columns, Ints, Timeline
from ml.features.wanted import Wanted

# A report that has not come: after every moment.
NEVER = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Known:
    """By row of all transactions, what the other side has to know. Moments and gaps in milliseconds.

    `is_high`: far above what is usual for its client. `since_previous`, `until_next`: gaps to the transactions of the
    same client and beneficiary.
    """

    moment: Ints
    reported: Ints
    is_high: npt.NDArray[np.bool_]
    since_previous: Ints
    until_next: Ints

    @classmethod
    def of(cls, frame: pl.DataFrame, reported: Ints, order: Ints) -> "Known":
        """Of the rows of a frame and their reports, in an order; the rest is not known yet."""
        moment = frame["transaction_ts"].dt.epoch("ms").to_numpy()
        gaps = (np.empty(len(order), np.int64) for _ in range(2))
        return cls(moment.take(order), reported.take(order), np.empty(len(order), bool), *gaps)


@dataclass(frozen=True)
class Counterpart:
    """A block of entities. `rows`: of all transactions, in the order of `line`.

    `out`: columns of all rows that are wanted. Of the positions that `line` is asked for, `places`: in these columns;
    `moment`: milliseconds since 1970.
    """

    rows: Ints
    line: Timeline
    known: Known
    out: Columns
    places: Ints
    moment: Ints


@dataclass(frozen=True)
class Counterparts:
    """All entities of a kind. `order`: as `order_of` has it; `entity`: of each row, in that order."""

    order: Ints
    entity: Ints
    known: Known
    wanted: Wanted
    out: Columns

    @classmethod
    def of(cls, order: Ints, entity: Ints, known: Known, wanted: Wanted, out: Columns) -> "Counterparts":
        """Of the entities of all rows."""
        return cls(order, entity.take(order), known, wanted, out)

    @property
    def blocks(self) -> list[slice]:
        """Whole entities, for threads to share."""
        return blocks(self.entity)

    def within(self, block: slice) -> Counterpart:
        """Those of a block."""
        rows = self.order[block]
        moment = self.known.moment.take(rows)
        line, asked = Timeline.of(self.entity[block], moment), self.wanted.among(rows)
        if asked is None:
            return Counterpart(rows, line, self.known, self.out, rows, moment)
        places = self.wanted.place.take(rows.take(asked))
        return Counterpart(rows, line.at(asked), self.known, self.out, places, moment.take(asked))


def reports_of(frame: pl.DataFrame, frauds: pl.DataFrame) -> Ints:
    """By row, when it was reported as fraud."""
    reported = np.full(frame.height, NEVER)
    found = frame.select("transaction_id").with_row_index("row").join(frauds, on="transaction_id")
    reported[found["row"].to_numpy()] = found["reported_at"].dt.epoch("ms").fill_null(NEVER).to_numpy()
    return reported


def order_of(entity: Ints, by_moment: Ints) -> Ints:
    """Rows by entity and moment, without those that have none, which is the entity 0.

    `by_moment`: rows in the order of their moments.
    """
    if not entity.any():
        return np.empty(0, np.int64)
    with_one = by_moment[entity.take(by_moment) > 0]
    return with_one.take(sorted_places(entity.take(with_one)))
