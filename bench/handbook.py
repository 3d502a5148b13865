"""Transactions as the features read them: the Fraud Detection Handbook's file, in which many columns are empty."""

from pathlib import Path

import polars as pl

from ml.transactions import LABEL_SCHEMA, SCHEMA

REPORT_DAYS = 7
# What the file has only one of.
ALIKE = {"service": 1, "channel": 1, "currency": 1}


def handbook(path: Path) -> pl.DataFrame:
    """Rows of the published file: the terminal is the beneficiary."""
    return completed(
        pl.read_parquet(path).select(
            moment=pl.col("TX_DATETIME").dt.replace_time_zone("UTC"),
            client=pl.col("CUSTOMER_ID") + 1,
            beneficiary=pl.col("TERMINAL_ID") + 1,
            amount="TX_AMOUNT",
            is_fraud=pl.col("TX_FRAUD") == 1,
        )
    )


def labels_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Frauds among the rows, each reported a week after it."""
    return rows.filter("is_fraud").select(pl.col(name).cast(kind) for name, kind in LABEL_SCHEMA.items())


def transactions_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without their labels."""
    return rows.select(*SCHEMA)


def completed(rows: pl.DataFrame) -> pl.DataFrame:
    """Clients, beneficiaries, amounts, moments and frauds with all columns; what is not known of them is null."""
    known = rows.with_columns(
        transaction_id=pl.int_range(pl.len()).cast(pl.String),
        transaction_ts="moment",
        date_key=pl.col("moment").dt.strftime("%Y%m%d").cast(pl.Int32),
        amount_minor=(pl.col("amount") * 100).round(),
        reported_at=pl.col("moment") + pl.duration(days=REPORT_DAYS),
        **{name: pl.lit(value) for name, value in ALIKE.items() if name not in rows.columns},
    )
    missing = [pl.lit(None).alias(name) for name in SCHEMA if name not in known.columns]
    return known.with_columns(missing).select(
        *(pl.col(name).cast(kind) for name, kind in SCHEMA.items()), "is_fraud", "reported_at"
    )
