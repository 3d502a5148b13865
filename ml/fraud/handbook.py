"""The Fraud Detection Handbook's own features and booster, computed from the same rows: what Cauri's have to beat.

Le Borgne, Siblini, Lebichot, Bontempi: Reproducible Machine Learning for Credit Card Fraud Detection, chapters 3 to 5.
Windows are theirs, (t - w, t], so that a transaction counts itself.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.sorting import sorted_places
from ml.features.catalogue import Feature
from ml.features.order import in_both_orders
from ml.features.timeline import DAY, Floats, Ints, Timeline, running
from ml.features.view import entity
from ml.fraud.boosters import BoosterParameters

DELAY_DAYS = 7
WINDOWS_DAYS = (1, 7, 30)
LAST_NIGHT_HOUR = 6

NAMES = (
    "handbook_amount", "handbook_weekend", "handbook_night",
    *(f"handbook_client_{what}_{days}d" for days in WINDOWS_DAYS for what in ("count", "mean")),
    *(f"handbook_beneficiary_{what}_{days}d" for days in WINDOWS_DAYS for what in ("count", "risk")),
)  # fmt: skip
FEATURES = tuple(Feature(name, "handbook", "Float64", "its own", "As in the Handbook", "0") for name in NAMES)

# The booster that their validation chose, and the one that was best on their tests: the harder one to beat.
CHOSEN = BoosterParameters(
    trees=50, learning_rate=0.3, depth=3, least_weight=1, rows_share=1, columns_share=1, bags=1, monotone=False
)
BEST = BoosterParameters(
    trees=100, learning_rate=0.1, depth=3, least_weight=1, rows_share=1, columns_share=1, bags=1, monotone=False
)


def handbook_features(transactions: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """`transaction_id`, `date_key` and their 15 features, by client, moment and id.

    A label counts from seven days after its transaction on, whenever it was reported.
    """
    frauds = labels.filter("is_fraud").select("transaction_id", "is_fraud")
    rows = transactions.join(frauds, on="transaction_id", how="left")
    order, by_moment = in_both_orders(rows)
    rows = rows.lazy().select(pl.all().gather(order)).collect()
    moment = rows["transaction_ts"].dt.epoch("ms").to_numpy()
    amount = rows["amount"].to_numpy()
    client = Timeline.of(entity(rows, "client"), moment)
    paid = entity(rows, "beneficiary")
    of_beneficiary = by_moment[sorted_places(paid[by_moment])]
    beneficiary = Timeline.of(paid[of_beneficiary], moment[of_beneficiary])
    is_fraud = rows["is_fraud"].fill_null(value=False).to_numpy()
    found = {
        "handbook_amount": amount,
        "handbook_weekend": (rows["transaction_ts"].dt.weekday() > 5).cast(pl.Float64).to_numpy(),
        "handbook_night": (rows["transaction_ts"].dt.hour() <= LAST_NIGHT_HOUR).cast(pl.Float64).to_numpy(),
        **_client(client, np.rint(amount * 100).astype(np.int64)),
        **_beneficiary(beneficiary, of_beneficiary, is_fraud),
    }
    return rows.select("transaction_id", "date_key").with_columns(pl.Series(name, found[name]) for name in NAMES)


def _client(line: Timeline, cents: Ints) -> dict[str, Floats]:
    until, total = np.arange(len(cents)) + 1, running(cents)
    found = {}
    for days in WINDOWS_DAYS:
        since = _after(line, days)
        count = until - since
        found[f"handbook_client_count_{days}d"] = count.astype(np.float64)
        found[f"handbook_client_mean_{days}d"] = (total.take(until) - total.take(since)) / 100 / count
    return found


def _beneficiary(line: Timeline, rows: Ints, is_fraud: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    """`rows`: in the order of the timeline."""
    until, frauds = _after(line, DELAY_DAYS), running(is_fraud[rows])
    found: dict[str, Floats] = {}
    for days in WINDOWS_DAYS:
        since = _after(line, DELAY_DAYS + days)
        count, risk = np.empty((2, len(rows)))
        count[rows] = until - since
        risk[rows] = (frauds.take(until) - frauds.take(since)) / np.maximum(until - since, 1)
        found |= {f"handbook_beneficiary_count_{days}d": count, f"handbook_beneficiary_risk_{days}d": risk}
    return found


def _after(line: Timeline, days: int) -> Ints:
    """First position after t - days."""
    return np.searchsorted(line.key, line.key - days * DAY, side="right")
