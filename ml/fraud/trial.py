"""One fold of a protocol on rows with features: what was known then, who is tested, and the scores."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from ml.fraud.contenders import Contender
from ml.fraud.examples import ORDER, Floats
from ml.fraud.metrics import Labels, Scored
from ml.fraud.models import Fitted, fit
from ml.fraud.protocol import Fold, Protocol
from ml.fraud.rows import of_days
from partitions.grain import date_key

# One honest transaction in five says as much as all of them in a third of the time.
MOST_HONEST = 150_000
# What `scored`, `known_by` and limits read of tested rows.
JUDGED_BY = ("client", "date_key", "amount", "is_fraud", "reported_at")


def training_rows(rows: pl.DataFrame, fold: Fold) -> pl.DataFrame:
    """Rows to learn from, with `is_fraud` as it was known when the test window began."""
    known = pl.col("is_fraud") & (pl.col("reported_at") < _moment(fold.test.since))
    return of_days(rows, fold.train).with_columns(is_fraud=known.fill_null(value=False))


def rows_to_test(rows: pl.DataFrame, fold: Fold, protocol: Protocol) -> pl.DataFrame:
    """Rows of the test window, without the clients whose fraud was known by the day if the protocol removes them."""
    tested = of_days(rows, fold.test)
    if not protocol.removes_known:
        return tested
    frauds = rows.filter(pl.col("is_fraud") & (pl.col("date_key") >= date_key(fold.train.since)))
    days = []
    for number in range(fold.test.number):
        day = fold.test.since + timedelta(days=number)
        known = frauds.filter(pl.col("reported_at") < _moment(day))["client"].unique()
        days.append(tested.filter((pl.col("date_key") == date_key(day)) & ~pl.col("client").is_in(known.implode())))
    return pl.concat(days)


def tells_apart(rows: pl.DataFrame, fold: Fold, protocol: Protocol) -> bool:
    """Whether there are frauds and honest transactions, both to learn from and to test on."""
    rows = rows.select(JUDGED_BY)
    parts = training_rows(rows, fold), rows_to_test(rows, fold, protocol)
    return all(0 < part["is_fraud"].sum() < part.height for part in parts)


def fitted(rows: pl.DataFrame, fold: Fold, contender: Contender, seed: int) -> Fitted:
    """A contender that has learned from a fold.

    Raises:
        TrainingError: the training window has no fraud, or nothing else.
    """
    return fit(
        contender.kind,
        thinned(training_rows(rows, fold), seed),
        contender.features,
        seed=seed,
        imbalance=contender.imbalance,
        parameters=contender.parameters,
    )


def thinned(rows: pl.DataFrame, seed: int, most: int = MOST_HONEST) -> pl.DataFrame:
    """All frauds, and about as many honest transactions as will do: the same ones, in whatever order the rows come."""
    honest = rows.height - int(rows["is_fraud"].sum())
    if honest <= most:
        return rows
    # They come by client, whose keys are others in another warehouse of the same files.
    in_turn = rows.select(pl.arg_sort_by(ORDER)).to_series().to_numpy()
    is_drawn = np.empty(rows.height, bool)
    is_drawn[in_turn] = np.random.default_rng(seed).random(rows.height) < most / honest
    return rows.filter(pl.col("is_fraud") | pl.Series(is_drawn))


def scored(tested: pl.DataFrame, score: Floats) -> Scored:
    """Tested rows with their scores."""
    return Scored(
        score,
        tested["is_fraud"].to_numpy(),
        tested["client"].cast(pl.Int64).to_numpy(),
        tested["date_key"].cast(pl.Int64).to_numpy(),
        tested["amount"].to_numpy(),
    )


def known_by(tested: pl.DataFrame, day: date) -> Labels:
    """Which of the rows were known frauds when a day began."""
    known = tested.select((pl.col("is_fraud") & (pl.col("reported_at") < _moment(day))).fill_null(value=False))
    labels: Labels = known.to_series().to_numpy()
    return labels


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
