"""Invented examples of fraud: features of known meaning, without a warehouse."""

from datetime import UTC, datetime

import numpy as np
import polars as pl

from ml.features.catalogue import Feature

AMOUNT = Feature("log_amount", "amount", "Float64", "-", "Logarithm of the amount", "never null", 1)
RISK = Feature("risk_7d", "counterparty_risk", "Float64", "7 d", "Known frauds of the beneficiary", "no label", 1)
NOISE = Feature("hour", "temporal", "Float64", "-", "Hour of the day", "never null", 0)
FEATURES = (AMOUNT, RISK, NOISE)

START = datetime(2025, 1, 1, tzinfo=UTC)


def examples(rows: int = 2000, seed: int = 7) -> pl.DataFrame:
    """Frauds are 3 %: large amounts, or beneficiaries with known frauds; a third of the risks are unknown."""
    dice = np.random.default_rng(seed)
    fraud = dice.random(rows) < 0.03
    amount = np.exp(dice.normal(4, 1, rows) + 1.5 * fraud)
    risk = np.clip(dice.beta(1, 20, rows) + 0.5 * fraud * (dice.random(rows) < 0.5), 0, 1)
    known = dice.random(rows) < 0.66
    return pl.DataFrame(
        {
            "transaction_id": [f"T{number:06d}" for number in range(rows)],
            "transaction_ts": pl.datetime_range(START, START.replace(year=2026), interval="1m", eager=True)[:rows],
            "amount": amount,
            "log_amount": np.log(amount),
            "risk_7d": pl.Series(np.where(known, risk, np.nan)).fill_nan(None),
            "hour": dice.integers(0, 24, rows).astype(float),
            "is_fraud": fraud,
        }
    )


def shuffled_labels(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same rows with their labels dealt out anew: nothing is left to learn."""
    order = np.random.default_rng(seed).permutation(rows.height)
    dealt = rows.select(pl.col("is_fraud", "reported_at").gather(order))
    return rows.with_columns(dealt["is_fraud"], dealt["reported_at"])
