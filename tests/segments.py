"""Invented values of clients that have the shape of a business: few large ones, many small ones, some who left."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ml.rfm.rates import Currencies, Rates, read_rates
from ml.rfm.values import VALUES, Values
from ml.rfm.window import Window

AS_OF = date(2025, 7, 1)
RATES: Rates = read_rates()
CURRENCIES: Currencies = {1: ("XOF", 0), 2: ("GHS", 2), 3: ("TND", 3), 4: ("XXX", 0)}


def business(count: int = 1_000, seed: int = 1) -> Values:
    """Clients whose activity follows Zipf's law, of whom a fifth has left at some time in the last two years."""
    dice = np.random.default_rng(seed)
    weekly = np.clip(60 / (np.arange(count) + 8) ** 0.8 * np.exp(dice.normal(0, 0.3, count)), 0.05, 6)
    age = dice.integers(400, 730, count)
    left = np.where(dice.random(count) < 0.2, dice.integers(20, age - 10), 0)
    pause = np.ceil(dice.exponential(7 / weekly)).astype(int).clip(1, 180)
    recency = np.minimum(left + pause, age)
    within = np.clip(365 - recency, 0, 365)
    frequency = np.where(recency <= 365, dice.poisson(weekly * within / 7) + 1, 0)
    each = np.exp(dice.normal(10, 1.0, count)) * np.sqrt(weekly)
    monetary = (frequency * each).astype(np.int64)
    days = np.maximum((weekly * (age - recency) / 7).astype(int), 0) + 1
    return values(
        client_ref=[dice.bytes(8) for _ in range(count)],
        recency=recency,
        frequency=frequency,
        monetary_minor=monetary,
        active_days=days,
        age=age,
        revenue_minor=monetary // 80,
        recent_revenue_minor=monetary // 100,
    )


def values(**columns: Any) -> Values:
    """Values of clients; columns that are not given have one value that can be."""
    count = len(next(iter(columns.values())))
    plain: dict[str, Any] = {
        "client_ref": [number.to_bytes(4, "big") for number in range(count)],
        "client": range(1, count + 1),
        "recency": [10] * count,
        "frequency": [1] * count,
        "monetary_minor": [1_000] * count,
        "active_days": [1] * count,
        "age": [500] * count,
        "revenue_minor": [10] * count,
        "recent_revenue_minor": [10] * count,
    }
    return Values(Window(AS_OF), pl.DataFrame({**plain, **columns}, schema=VALUES).sort("client_ref"), 0)
