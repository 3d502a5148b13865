"""Rows with their features, from the warehouse: of some days, read with the history that features look back on."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from ml.features.extract import HISTORY_DAYS, extract
from ml.fraud.windows import Days
from ml.transactions import read_labels, read_transactions
from partitions.grain import date_key, day_of
from warehouse.connection import Connection
from warehouse.queries import query


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


def rows_with_features(url: str, days: Days, labels: pl.DataFrame) -> pl.LazyFrame:
    """Transactions of the days with every feature, as `extract` gives them."""
    history = read_transactions(url, days.since - timedelta(days=HISTORY_DAYS), days.until)
    return extract(history, labels.lazy(), date_key(days.since))


def labelled(rows: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Rows with `is_fraud`: what nobody reported in time is honest."""
    known = labels.select("transaction_id", "is_fraud")
    return rows.join(known, on="transaction_id", how="left").with_columns(pl.col("is_fraud").fill_null(value=False))


def of_days(rows: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Those of some days."""
    return rows.filter(pl.col("date_key").is_between(date_key(days.since), date_key(days.until), closed="left"))
