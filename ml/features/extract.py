"""Transactions in, features out: what was known when each was made."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from ml.features.amount import amount
from ml.features.beneficiary import beneficiary, fan_in
from ml.features.blocks import THREADS, blocks
from ml.features.catalogue import FEATURE_NAMES, FEATURES
from ml.features.channel import channel
from ml.features.client import client
from ml.features.clocks import clock_of
from ml.features.compiled import Float, validity
from ml.features.counterpart import Counterpart, Counterparts, Known, order_of, reports_of
from ml.features.counterparty_risk import COUNTS, LABEL_DELAY_DAYS, counterparty_risk, location_risk
from ml.features.geography import geography
from ml.features.order import in_both_orders
from ml.features.temporal import temporal
from ml.features.velocity import velocity
from ml.features.view import USUAL_DAYS, View, entity
from ml.features.wanted import Wanted

IDENTITY = ("transaction_id", "transaction_ts", "date_key", "client", "amount")

# No feature of a day needs transactions older than this: a fraud of an episode, and what was usual for its client then.
HISTORY_DAYS = LABEL_DELAY_DAYS + 28 + USUAL_DAYS

OF_CLIENTS = (temporal, amount, velocity, beneficiary, channel, geography, client)
OF_COUNTERPARTS: dict[str, tuple[Callable[[Counterpart], None], ...]] = {
    "beneficiary": (fan_in, counterparty_risk),
    "location": (location_risk,),
}
# What the families read, beside the labels: nothing else is put in order.
READ = (
    *IDENTITY, "beneficiary", "service", "channel", "location", "amount_minor", "latitude", "longitude",
    "location_country", "client_country", "company_size", "risk_level", "kyc_level", "onboarded_on",
)  # fmt: skip
Dtype = type[pl.Float32] | type[pl.Float64]
Numbers = npt.NDArray[Any]
NULLABLE = frozenset(feature.name for feature in FEATURES if feature.is_nullable)


def extract(
    transactions: pl.LazyFrame, labels: pl.LazyFrame, since: int = 0, *, dtype: Dtype = pl.Float64
) -> pl.LazyFrame:
    """Features of each transaction, from the transactions and reports before it.

    Transactions: as `ml.transactions.SCHEMA`, at least `HISTORY_DAYS` further back than the first whose features are
    wanted. Labels: `transaction_id`, `is_fraud`, `reported_at`. `since`: date key; what is older is history only.

    Returns: `IDENTITY` and a column of `dtype` for each of `ml.features.catalogue.FEATURES`, by client, moment and id.
    """
    rows, frauds = transactions.select(READ), labels.filter("is_fraud").select("transaction_id", "reported_at")
    schema = {name: rows.collect_schema()[name] for name in IDENTITY} | dict.fromkeys(FEATURE_NAMES, dtype)
    # Joined here, the frauds would have all columns of all rows copied.
    return rows.map_batches(lambda frame: features_of(frame, frauds.collect(), since, dtype), schema=schema)


def features_of(frame: pl.DataFrame, frauds: pl.DataFrame, since: int = 0, dtype: Dtype = pl.Float64) -> pl.DataFrame:
    """As `extract`. Frauds: `transaction_id`, `reported_at`."""
    if not (frame["date_key"] >= since).any():
        frame = frame.clear()
        return frame.select(*IDENTITY, *(pl.lit(None, dtype).alias(name) for name in FEATURE_NAMES))
    kind = np.float32 if dtype == pl.Float32 else np.float64
    with ThreadPoolExecutor(THREADS) as threads:
        reporting = threads.submit(reports_of, frame, frauds)
        # Each country's holidays are looked up once, here beside the sorting, which one thread does.
        threads.submit(lambda: [clock_of(country) for country in frame["client_country"].unique()])
        # In one piece each, beside the sorting too: of many pieces, gathering takes three times as long.
        whole = {name: threads.submit(frame[name].rechunk) for name in READ}
        order, by_moment = in_both_orders(frame)
        gathered = threads.map(partial(_gathered, whole, pl.Series(order.astype(np.uint32))), READ)
        known, frame = Known.of(frame, reporting.result(), order), pl.DataFrame(list(gathered))
        of_clients = blocks(entity(frame, "client"))
        entities = {column: entity(frame, column) for column in OF_COUNTERPARTS}
        wanted = Wanted.of(frame, since)
        orders = {column: threads.submit(order_of, entities[column], by_moment) for column in entities}
        parts = list(threads.map(partial(_of_clients, frame, known, wanted, kind), of_clients))
        told = {name for part in parts for name in part}
        names = [name for name in FEATURE_NAMES if name not in told]
        no_fraud = np.where(entities["beneficiary"][wanted.rows] > 0, 0, np.nan).astype(kind)
        # A fifth of a gigabyte for a million rows: to be given its pages takes longer than to compute what goes there.
        found = dict(zip(names, threads.map(partial(_untold, no_fraud), names), strict=True))
        for column, families in OF_COUNTERPARTS.items():
            others = Counterparts.of(orders[column].result(), entities[column], known, wanted, found)
            list(threads.map(partial(_of_counterparts, others, families), others.blocks))
        frames = list(threads.map(partial(_frame, frame, wanted, found, kind), parts, of_clients))
    # Not in one piece: who needs a matrix copies the columns anyway.
    return pl.concat([one for one in frames if one.width], rechunk=False)


def _gathered(whole: dict[str, Future[pl.Series]], order: pl.Series, name: str) -> pl.Series:
    """A column that is read, in an order, and let go; one without values costs nothing."""
    column = whole.pop(name).result()
    return column if column.null_count() == len(column) else column.gather(order)


def _of_clients(frame: pl.DataFrame, known: Known, wanted: Wanted, kind: Float, block: slice) -> dict[str, pl.Series]:
    """Features of a block of clients; what their counterparts have to know is told them."""
    asked = wanted.among(block)
    view = View.of(frame[block], asked, kind)
    known.since_previous[block], known.until_next[block] = view.pairs.gaps
    known.is_high[block] = view.is_high
    if asked is not None and not len(asked):
        return {}
    return {name: _column(name, values, kind) for family in OF_CLIENTS for name, values in family(view).items()}


def _untold(no_fraud: Numbers, name: str) -> Numbers:
    """What a feature is of transactions of which their counterpart says nothing."""
    return no_fraud.copy() if name in COUNTS else np.full_like(no_fraud, np.nan)


def _of_counterparts(others: Counterparts, families: tuple[Callable[[Counterpart], None], ...], block: slice) -> None:
    counterpart = others.within(block)
    for family in families:
        family(counterpart)


def _frame(
    frame: pl.DataFrame,
    wanted: Wanted,
    found: dict[str, Numbers],
    kind: Float,
    of_clients: dict[str, pl.Series],
    block: slice,
) -> pl.DataFrame:
    places = wanted.within(block)
    if not of_clients:
        return pl.DataFrame()
    columns = of_clients | {name: _column(name, values[places], kind) for name, values in found.items()}
    rows = wanted.rows[places]
    identity = (frame[name][block] if wanted.is_all else frame[name].gather(rows) for name in IDENTITY)
    return pl.DataFrame([*identity, *(columns[name] for name in FEATURE_NAMES)])


def _column(name: str, values: Numbers, kind: Float) -> pl.Series:
    """Without a copy of values that have the kind."""
    values = np.ascontiguousarray(values, kind)
    known, count = validity(values) if name in NULLABLE else (None, len(values))
    buffers = [None if count == len(values) else pa.py_buffer(known), pa.py_buffer(values)]
    array = pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers, len(values) - count)
    return pl.Series(name, array)
