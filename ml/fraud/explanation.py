"""Why one transaction has its score, computed again from what was known at its moment."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from ml.fraud.explain import explain, text_of
from ml.fraud.registry import Registered
from ml.fraud.rows import all_labels, rows_with_features
from ml.fraud.thresholds import BANDS
from ml.fraud.windows import Days
from ml.transactions import Transactions
from partitions.grain import day_of
from warehouse.connection import Connection, connect
from warehouse.errors import ConfigurationError
from warehouse.queries import query


@dataclass(frozen=True)
class Explanation:
    """Contributions are log-odds; with `base` they add up to `margin`. `stored` is what the warehouse holds."""

    model_version: str
    fraud_score: float
    band: str
    margin: float
    base: float
    families: dict[str, float]
    reasons: list[str]
    features: list[dict[str, Any]]
    stored: dict[str, Any] | None = None

    def to_json(self, language: str = "en") -> dict[str, Any]:
        """The object that `--json` prints."""
        by_size = sorted(self.families.items(), key=lambda item: -item[1])
        reasons = [
            {"code": code, "text": text_of(code, language), "contribution": self.families[code]}
            for code in self.reasons
        ]
        document = {name: value for name, value in vars(self).items() if name != "families"}
        return {**document, "reasons": reasons, "contributions": dict(by_size)}


def explain_transaction(url: str, model: Registered, transaction_id: str) -> Explanation:
    """Explain a transaction of the warehouse.

    Raises:
        ConfigurationError: the warehouse does not have it.
    """
    with connect(url) as connection:
        row = connection.execute(query("scores/place"), (transaction_id,)).fetchone()
        if row is None:
            raise ConfigurationError(
                "the warehouse has no transaction of this id",
                remedy="give it as the source spells it; cauri quarantine list shows what was refused",
            )
        stored = _stored(connection, transaction_id, row[0])
    day = day_of(row[0])
    rows = rows_with_features(Transactions(url), Days(day, day + timedelta(days=1)), all_labels(url))
    return explain_row(model, rows.filter(pl.col("transaction_id") == transaction_id).collect(), stored)


def explain_row(model: Registered, row: pl.DataFrame, stored: dict[str, Any] | None = None) -> Explanation:
    """Score and explain one row of features.

    Raises:
        ModelError: a feature is missing, or contributions do not add up to the margin.
    """
    matrix = model.model.matrix(row)
    margin = model.model.margin_of(matrix)
    found = explain(model.model, matrix, margin)
    score = model.score(margin)
    features = [
        {
            "name": feature.name,
            "family": feature.family,
            "value": None if math.isnan(value) else float(value),
            "contribution": float(contribution),
        }
        for feature, value, contribution in zip(model.model.features, matrix[0], found.by_feature[0], strict=True)
    ]
    return Explanation(
        model.version,
        float(score[0]),
        BANDS[int(model.manifest.thresholds.band(score)[0])],
        float(margin[0]),
        float(found.base[0]),
        {family: float(value) for family, value in zip(found.families, found.by_family[0], strict=True)},
        found.reasons()[0],
        sorted(features, key=lambda feature: -abs(feature["contribution"])),
        stored,
    )


def _stored(connection: Connection, transaction_id: str, day: int) -> dict[str, Any] | None:
    row = connection.execute(query("scores/stored"), (day, transaction_id)).fetchone()
    names = ("fraud_score", "band", "model_version", "scored_at")
    return None if row is None else {**dict(zip(names, row, strict=True)), "scored_at": row[3].isoformat()}
