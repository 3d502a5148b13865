"""Transactions in, features out: what was known when each was made."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from ml.features.amount import amount
from ml.features.beneficiary import beneficiary, fan_in
from ml.features.catalogue import FEATURE_NAMES, FEATURES, Feature
from ml.features.channel import channel
from ml.features.client import client
from ml.features.counterparty_risk import LABEL_DELAY_DAYS, counterparty_risk
from ml.features.geography import geography
from ml.features.order import in_order
from ml.features.temporal import temporal
from ml.features.timeline import Floats
from ml.features.velocity import velocity
from ml.features.view import USUAL_DAYS, View

IDENTITY = ("transaction_id", "transaction_ts", "date_key", "client", "amount")

# No feature of a day needs transactions older than this: a fraud of an episode, and what was usual for its client then.
HISTORY_DAYS = LABEL_DELAY_DAYS + 28 + USUAL_DAYS

Family = Callable[[View], dict[str, Floats]]

# The dearest first, so that two threads end together.
FAMILIES: tuple[Family, ...] = (
    counterparty_risk, amount, beneficiary, fan_in, temporal, geography, channel, velocity, client
)  # fmt: skip
THREADS = 2


def extract(transactions: pl.LazyFrame, labels: pl.LazyFrame) -> pl.LazyFrame:
    """Features of each transaction, from the transactions and reports before it.

    Transactions: as `ml.transactions.SCHEMA`, at least `HISTORY_DAYS` further back than the first whose features are
    wanted. Labels: `transaction_id`, `is_fraud`, `reported_at`.

    Returns: `IDENTITY` and one Float64 column a feature of `ml.features.catalogue.FEATURES`, by client, moment and id.
    """
    known = labels.filter("is_fraud").select("transaction_id", "is_fraud", "reported_at")
    rows = transactions.join(known, on="transaction_id", how="left")
    schema = {name: rows.collect_schema()[name] for name in IDENTITY} | dict.fromkeys(FEATURE_NAMES, pl.Float64)
    return rows.map_batches(features_of, schema=schema)


def features_of(frame: pl.DataFrame) -> pl.DataFrame:
    """As `extract`, of rows that have `is_fraud` and `reported_at`, null where unreported."""
    found: dict[str, Floats] = {}
    frame = frame.lazy().select(pl.all().gather(in_order(frame))).collect()
    if frame.height:
        view = View.of(frame)
        with ThreadPoolExecutor(THREADS) as threads:
            for columns in threads.map(lambda family: family(view), FAMILIES):
                found |= columns
    return frame.select(*IDENTITY).with_columns(_column(feature, found) for feature in FEATURES)


def _column(feature: Feature, found: dict[str, Floats]) -> pl.Series:
    column = pl.Series(feature.name, found.get(feature.name, []), pl.Float64)
    return column.fill_nan(None) if feature.is_nullable else column
