"""Transactions as the features read them: the Fraud Detection Handbook's file, or rows drawn in the shape of it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from ml.transactions import LABEL_SCHEMA, SCHEMA

BEGIN = datetime(2018, 4, 1, tzinfo=UTC)
DAYS, BENEFICIARIES, FRAUD_SHARE = 128, 10_000, 0.0084
REPORT_DAYS = 7


def handbook(path: Path) -> pl.DataFrame:
    """Rows of the published file: the terminal is the beneficiary."""
    return _completed(
        pl.read_parquet(path).select(
            moment=pl.col("TX_DATETIME").dt.replace_time_zone("UTC"),
            client=pl.col("CUSTOMER_ID") + 1,
            beneficiary=pl.col("TERMINAL_ID") + 1,
            amount="TX_AMOUNT",
            is_fraud=pl.col("TX_FRAUD") == 1,
        )
    )


def drawn(rows: int, clients: int = 5_000, days: float = DAYS, seed: int = 1) -> pl.DataFrame:
    """As many rows of so many clients over so many days, to the second, in the order of their moments.

    A client is about as busy as any other and pays some fifty beneficiaries around it, amounts have its own mean.
    """
    rng = np.random.default_rng(seed)
    client = rng.integers(1, clients + 1, rows)
    beneficiary = (client * BENEFICIARIES // clients + rng.integers(0, 50, rows)) % BENEFICIARIES + 1
    seconds = np.sort(rng.integers(0, int(days * 86_400), rows))
    amount = np.round(np.abs(rng.normal(1, 0.5, rows)) * rng.uniform(5, 100, clients + 1)[client], 2)
    moment = pl.lit(BEGIN) + pl.Series(seconds).cast(pl.Int64) * pl.duration(seconds=1)
    columns = {
        "client": client,
        "beneficiary": beneficiary,
        "amount": amount,
        "is_fraud": rng.random(rows) < FRAUD_SHARE,
    }
    return _completed(pl.DataFrame(columns).with_columns(moment=moment))


def labels_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Frauds among the rows, each reported a week after it."""
    return rows.filter("is_fraud").select(pl.col(name).cast(kind) for name, kind in LABEL_SCHEMA.items())


def transactions_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without their labels."""
    return rows.select(*SCHEMA)


def _completed(rows: pl.DataFrame) -> pl.DataFrame:
    known = rows.select(
        "is_fraud",
        "client",
        "beneficiary",
        "amount",
        transaction_id=pl.int_range(pl.len()).cast(pl.String),
        transaction_ts="moment",
        date_key=pl.col("moment").dt.strftime("%Y%m%d").cast(pl.Int32),
        service=1,
        channel=1,
        currency=1,
        amount_minor=(pl.col("amount") * 100).round(),
        reported_at=pl.col("moment") + pl.duration(days=REPORT_DAYS),
    )
    missing = [pl.lit(None).alias(name) for name in SCHEMA if name not in known.columns]
    return known.with_columns(missing).select(
        *(pl.col(name).cast(kind) for name, kind in SCHEMA.items()), "is_fraud", "reported_at"
    )
