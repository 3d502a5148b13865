"""fraud_labels.csv: what investigators reported, days after the payment."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from sample import rows
from sample.calendar import DAY_SECONDS
from sample.dice import Array
from sample.fraud import TYPOLOGIES
from sample.rows import Rows
from sample.text import transaction_ids

# Part of the frauds that somebody notices, by typology.
_REPORTED = np.array([1.0, 0.98, 0.94, 0.90, 0.97, 0.95])
CLEARED_PER_FRAUD = 0.5  # honest payments that were reviewed
LONGEST_DELAY_DAYS = 30


@dataclass
class Labels:
    """Labels of the months seen so far; what is reported after the period is not in the export."""

    end: int
    parts: list[Rows] = field(default_factory=list)

    def add(self, month: Rows, rng: np.random.Generator) -> None:
        loaded = month["fate"] == rows.LOADED
        frauds = np.flatnonzero(loaded & (month["fraud"] > 0))
        noticed = frauds[rng.random(len(frauds)) < _REPORTED[month["fraud"][frauds]]]
        chosen = np.concatenate([noticed, _reviewed(month, loaded, len(frauds), rng)])
        delay = np.clip(rng.lognormal(1.6, 0.8, len(chosen)), 1, LONGEST_DELAY_DAYS)
        reported = month["ts"][chosen] + (delay * DAY_SECONDS).astype(np.int64)
        part = rows.take(month, chosen) | {"updated": reported, "at": reported}
        self.parts.append(rows.take(part, reported < self.end))

    def table(self) -> Rows:
        everything = rows.join([rows.nothing(), *self.parts])
        return rows.take(everything, np.argsort(everything["at"], kind="stable"))


def _reviewed(month: Rows, loaded: Array, frauds: int, rng: np.random.Generator) -> Array:
    """Honest payments somebody looked into: of some drawn at random, the ones with larger amounts."""
    honest = np.flatnonzero(loaded & (month["fraud"] == 0))
    wanted = min(int(np.ceil(frauds * CLEARED_PER_FRAUD)), len(honest) // 4)
    drawn = rng.choice(honest, 4 * wanted, replace=False) if wanted else honest[:0]
    return drawn[np.argsort(-month["amount"][drawn], kind="stable")[:wanted]]


def label_columns(table: Rows, id_days: pl.Series) -> pl.DataFrame:
    reported = pl.Series(table["updated"] * 1_000_000).cast(pl.Datetime("us"))
    return pl.select(
        transaction_ids(table, id_days).alias("transaction_id"),
        pl.Series("is_fraud", (table["fraud"] > 0).astype(np.int8)),
        reported.alias("reported_at"),
    )


def frauds_by_typology(month: Rows) -> dict[str, int]:
    counted = np.bincount(month["fraud"][month["fate"] == rows.LOADED], minlength=len(TYPOLOGIES) + 1)
    return {name: int(counted[index + 1]) for index, name in enumerate(TYPOLOGIES)}
