"""How good scores are: ranking, what a team of so many a day would find, calibration, and how sure that is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.fraud.examples import Floats

FALSE_POSITIVE_RATES = (0.001, 0.005, 0.01, 0.05)
CALIBRATION_BINS = 10
RESAMPLES = 200
INTERVAL = (0.025, 0.975)

Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Transactions of a test window and their scores, the higher the likelier fraud. `day`: date key."""

    score: Floats
    labels: Labels
    client: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    amount: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> "Scored":
        """Some of the rows."""
        return Scored(self.score[rows], self.labels[rows], self.client[rows], self.day[rows], self.amount[rows])


def average_precision(scored: Scored) -> float:
    """Area under precision over recall, as a step function."""
    from sklearn.metrics import average_precision_score  # noqa: PLC0415

    return float(average_precision_score(scored.labels, scored.score))


def area_under_roc(scored: Scored) -> float:
    """Chance that a fraud has a higher score than an honest transaction."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return float(roc_auc_score(scored.labels, scored.score))


def precision_at(scored: Scored, capacity: int) -> float:
    """Share of frauds among the clients that are looked at, `capacity` a day, highest scores first; mean over the days.

    A client's score is that of its highest transaction of the day, and it is a find if any of its transactions of that
    day is fraud. Who was found is left out on later days. (The Handbook's card precision top k.)
    """
    clients = (
        pl.DataFrame({"day": scored.day, "client": scored.client, "score": scored.score, "fraud": scored.labels})
        .group_by("day", "client")
        .agg(pl.col("score").max(), pl.col("fraud").any())
        .sort("day", "score", "client", descending=[False, True, False])
    )
    found = np.empty(0, np.int64)
    shares = []
    for day in clients.partition_by("day", maintain_order=True):
        top = day.filter(~pl.col("client").is_in(found)).head(capacity)
        hits = top.filter("fraud")["client"].to_numpy()
        shares.append(len(hits) / capacity)
        found = np.concatenate([found, hits])
    return float(np.mean(shares)) if shares else float("nan")


def best_precision_at(scored: Scored, capacity: int) -> float:
    """What a perfect score would reach: there are not `capacity` frauds on each day."""
    return precision_at(replace(scored, score=scored.labels.astype(float)), capacity)


def recall_at_rates(scored: Scored) -> dict[float, float]:
    """False-positive rate -> share of the frauds that are found at it."""
    from sklearn.metrics import roc_curve  # noqa: PLC0415

    rates, recalls, _ = roc_curve(scored.labels, scored.score)
    return {rate: float(recalls[np.searchsorted(rates, rate, side="right") - 1]) for rate in FALSE_POSITIVE_RATES}


def value_recall(scored: Scored, alerts: int) -> float:
    """Share of the fraudulent amounts among so many transactions with the highest scores."""
    top = np.argsort(-scored.score, kind="stable")[:alerts]
    lost = scored.amount[scored.labels].sum()
    return float(scored.amount[top][scored.labels[top]].sum() / lost) if lost else float("nan")


def calibration_error(probability: Floats, labels: Labels) -> float:
    """Mean distance between a score and the share of frauds at it, over ten bins of as many rows (ECE)."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, CALIBRATION_BINS)
    gaps = [abs(probability[rows].mean() - labels[rows].mean()) * len(rows) for rows in bins if len(rows)]
    return float(np.sum(gaps) / len(probability))


def interval(scored: Scored, measure: Callable[[Scored], float], seed: int = 0) -> tuple[float, float]:
    """95 % of a measure over resamples of the clients: transactions of one client are not independent."""
    rng = np.random.default_rng(seed)
    order = np.argsort(scored.client, kind="stable")
    starts = np.flatnonzero(np.diff(scored.client[order], prepend=-1))
    rows_of = np.split(order, starts[1:])
    values = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(rows_of), len(rows_of))
        sample = scored.take(np.concatenate([rows_of[client] for client in drawn]))
        # A client that was drawn twice counts as two.
        number = np.repeat(np.arange(len(drawn)), [len(rows_of[client]) for client in drawn])
        sample = replace(sample, client=number)
        if 0 < sample.labels.sum() < len(sample.labels):
            values.append(measure(sample))
    low, high = np.nanquantile(values, INTERVAL) if values else (np.nan, np.nan)
    return float(low), float(high)
