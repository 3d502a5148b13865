"""What a model says of transactions: score, band, and the reasons of alerts."""

from datetime import datetime

import numpy as np
import polars as pl

from ml.fraud.examples import Floats, Matrix
from ml.fraud.explain import explain
from ml.fraud.registry import Registered
from ml.fraud.thresholds import BANDS


def scores_of(model: Registered, rows: pl.DataFrame, matrix: Matrix, scored_at: datetime) -> pl.DataFrame:
    """Rows of `ml.fraud_score` of transactions and the matrix of their features; only alerts have reasons.

    Raises:
        ModelError: contributions do not add up to their margin.
    """
    matrix = model.model.filled(matrix)
    margin = model.model.margin_of(matrix)
    score = model.score(margin)
    alert = np.flatnonzero(model.manifest.thresholds.is_alert(score))
    explained = explain(model.model, matrix[alert], margin[alert]).reasons()
    # Gathered from the few lists there are: a list a row in Python would take longer than all of the trees.
    lists = pl.Series([[], *explained], dtype=pl.List(pl.String))
    place = np.zeros(rows.height, dtype=np.uint32)
    place[alert] = np.arange(1, len(alert) + 1)
    return _banded(model, rows, score, scored_at).with_columns(reasons=lists.gather(place))


def shadow_scores_of(model: Registered, rows: pl.DataFrame, matrix: Matrix, scored_at: datetime) -> pl.DataFrame:
    """Rows of `ml.shadow_score`: nobody looks at these alerts, so that they need no reasons."""
    return _banded(model, rows, model.score(model.model.margin_of(model.model.filled(matrix))), scored_at)


def _banded(model: Registered, rows: pl.DataFrame, score: Floats, scored_at: datetime) -> pl.DataFrame:
    return rows.select(
        "transaction_id",
        pl.col("date_key").cast(pl.Int32),
        scored_at=pl.lit(scored_at, pl.Datetime("us", "UTC")),
        fraud_score=pl.Series(score),
        model_version=pl.lit(model.version),
        band=pl.Series(BANDS).gather(model.manifest.thresholds.band(score)),
    )
