"""A frame of transactions as arrays, and its rows by client, by beneficiary and by pair of both."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.sums import AmountSums
from ml.features.timeline import DAY, Floats, Ints, Timeline, share

# A report that has not come: after every moment.
NEVER = np.iinfo(np.int64).max // 4

# What is usual for a client is what it did so long, without its last two weeks, in which a fraud may have gone on.
USUAL_DAYS, RECENT_DAYS = 90, 14


@dataclass(frozen=True)
class View:
    """What every family of features reads.

    `frame`: the transactions by client and moment, with `is_fraud` and `reported_at`. `moment`, `reported`:
    milliseconds since 1970. `by_moment`: rows in the order of their moments. `minor`: the amount in minor units, not
    negative, and `client_sums` its sums along `client`. No beneficiary and no location are the entity 0.
    """

    frame: pl.DataFrame
    moment: Ints
    by_moment: Ints
    minor: Ints
    client: Timeline
    beneficiary: Timeline
    pair: Timeline
    client_sums: AmountSums
    is_fraud: npt.NDArray[np.bool_]
    reported: Ints

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "View":
        """Of transactions by client and moment."""
        moment = frame["transaction_ts"].dt.epoch("ms").to_numpy()
        by_moment = np.argsort(moment, kind="stable")
        client, beneficiary = entity(frame, "client"), entity(frame, "beneficiary")
        minor = np.maximum(frame["amount_minor"].to_numpy(), 0)
        return cls(
            frame,
            moment,
            by_moment,
            minor,
            Timeline.of(client, moment),
            Timeline.of(beneficiary, moment, by_moment),
            Timeline.of(combined(client, beneficiary), moment, by_moment),
            AmountSums.of(minor),
            frame["is_fraud"].fill_null(value=False).to_numpy(),
            frame["reported_at"].dt.epoch("ms").fill_null(NEVER).to_numpy(),
        )

    def line_of(self, entities: Ints) -> Timeline:
        """The rows by other entities."""
        return Timeline.of(entities, self.moment, self.by_moment)

    def usual_mean(self) -> Floats:
        """By position of `client`: mean amount of [t - 90 d, t - 14 d)."""
        return self.client_sums.mean(self.client.back(USUAL_DAYS * DAY), self.client.back(RECENT_DAYS * DAY))

    @property
    def unit(self) -> Floats:
        """By row: units of its currency in a minor unit."""
        return share(self.frame["amount"].to_numpy(), self.frame["amount_minor"].to_numpy())

    def where_known(self, column: str, values: Floats) -> Floats:
        """Values of the rows that have something in a column; NaN elsewhere."""
        if not self.frame[column].null_count():
            return values
        return np.where(self.known(column), values, np.nan)

    def known(self, column: str) -> npt.NDArray[np.bool_]:
        """Rows that have a value in a column."""
        return self.frame[column].is_not_null().to_numpy()


def entity(frame: pl.DataFrame, column: str) -> Ints:
    """A column of keys as numbers from 0, which is no key."""
    return frame[column].fill_null(0).cast(pl.Int64).to_numpy()


def combined(first: Ints, second: Ints) -> Ints:
    """One number for each pair of two entities."""
    return first * (int(second.max(initial=0)) + 1) + second
