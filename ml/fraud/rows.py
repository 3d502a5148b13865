"""Rows with their features, from the warehouse: of some days, read with the history that features look back on."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import polars as pl

from ml.features.extract import HISTORY_DAYS, extract
from ml.fraud.windows import Days
from ml.transactions import LABEL_SCHEMA, SCHEMA, Transactions, read_labels
from partitions.grain import date_key, day_of
from warehouse.connection import Connection
from warehouse.machine import this_machine
from warehouse.queries import query

# A transaction with its features, until it is scored or learned from.
_BYTES_OF_ROW = 1300
_LEAST_ROWS = 1_000_000


def rows_by_day(connection: Connection) -> dict[date, int]:
    """Transactions of each day."""
    return {day_of(key): int(rows) for key, rows in connection.execute(query("scores/days")).fetchall()}


def labels_before(url: str, day: date) -> pl.DataFrame:
    """Labels that were reported before a day (UTC) began."""
    moment = datetime.combine(day, time(), UTC)
    return read_labels(url).filter(pl.col("reported_at") < moment).collect()


def all_labels(url: str) -> pl.DataFrame:
    """Every label there is."""
    return read_labels(url).collect()


def rows_with_features(transactions: Transactions, days: Days, labels: pl.DataFrame) -> pl.LazyFrame:
    """Transactions of the days with every feature, as `extract` gives them, in the 32 bits that models compare."""
    with ThreadPoolExecutor(1) as aside:
        # Half a second, in which the server is waited for anyway.
        aside.submit(load_loops)
        history = transactions.of(days.since - timedelta(days=HISTORY_DAYS), days.until)
    return extract(history, labels.lazy(), date_key(days.since), dtype=pl.Float32)


@cache
def load_loops() -> None:
    """Have the machine code of the features loaded; sources that have none yet are compiled, which takes seconds."""
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    texts = {name: "CI" for name, dtype in SCHEMA.items() if dtype in {pl.String, pl.Categorical}}
    values = dict.fromkeys(SCHEMA, 1) | texts | {"transaction_ts": moment, "onboarded_on": moment.date()}
    label = {"transaction_id": "CI", "is_fraud": True, "reported_at": moment}
    row, labels = pl.LazyFrame([values], SCHEMA, strict=False), pl.LazyFrame([label], LABEL_SCHEMA)
    extract(row, labels, dtype=pl.Float32).collect()


def rows_at_once() -> int:
    """Transactions whose features are held at once, besides the history before them: a sixteenth of the memory.

    A million at least. Of a large warehouse the history is several millions, which each part goes through anew.
    """
    return max(_LEAST_ROWS, this_machine().memory_bytes // 16 // _BYTES_OF_ROW)


def parts(rows: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """Days (`date_key` -> transactions) in order, in groups of so many transactions and without long gaps."""
    group: list[int] = []
    for day in sorted(rows):
        far = group and (day_of(day) - day_of(group[-1])).days > HISTORY_DAYS
        if far or (group and sum(rows[one] for one in group) + rows[day] > most):
            yield group
            group = []
        group.append(day)
    if group:
        yield group


def spanned(days: Sequence[int]) -> Days:
    """From the first day (`date_key`) to the last."""
    return Days(day_of(days[0]), day_of(days[-1]) + timedelta(days=1))


def examples_of(
    transactions: Transactions, days: Days, rows: Mapping[date, int], labels: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Transactions of days with `is_fraud` and every feature, in parts.

    `rows`: transactions by day.
    """
    there = {date_key(day): count for day, count in rows.items() if days.since <= day < days.until}
    for part in parts(there, rows_at_once()):
        found = rows_with_features(transactions, spanned(part), labels).collect()
        yield labelled(found, labels)


def labelled(rows: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Rows with `is_fraud`: what nobody reported in time is honest."""
    known = labels.select("transaction_id", "is_fraud")
    return rows.join(known, on="transaction_id", how="left").with_columns(pl.col("is_fraud").fill_null(value=False))


def of_days(rows: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Those of some days."""
    return rows.filter(pl.col("date_key").is_between(date_key(days.since), date_key(days.until), closed="left"))
