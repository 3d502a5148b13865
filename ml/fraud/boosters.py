"""Gradient-boosted trees: XGBoost, which scores, and LightGBM, its challenger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ml.features.catalogue import Feature
from ml.fraud.examples import Floats, Matrix, matrix_of
from ml.fraud.imbalance import Sample, fill_unknown

# Sums of floats depend on how many threads add them: fixed, so that the same examples give the same bits anywhere.
THREADS = 2


@dataclass(frozen=True)
class BoosterParameters:
    """How trees are grown; one set for both libraries, each under its own names."""

    trees: int = 200
    learning_rate: float = 0.05
    depth: int = 4
    # Of a leaf: sum of p (1 - p) over its examples. Below it a leaf rests on a handful of frauds.
    least_weight: float = 1.0
    rows_share: float = 0.7
    columns_share: float = 0.4
    l2: float = 1.0
    bins: int = 256
    # Fits with successive seeds whose margins are averaged.
    bags: int = 4
    monotone: bool = True


@dataclass(frozen=True)
class XgboostModel:
    """Fitted trees; one ensemble a bag."""

    features: tuple[Feature, ...]
    bags: tuple[Any, ...]
    fill: Matrix | None = None

    def margin(self, frame: pl.DataFrame) -> Floats:
        """Log-odds before calibration, one a row: the mean over the bags."""
        return self.margin_of(self.matrix(frame))

    def matrix(self, frame: pl.DataFrame) -> Matrix:
        """Features of the rows as the trees take them."""
        return self.filled(matrix_of(frame, self.features))

    def filled(self, matrix: Matrix) -> Matrix:
        """With what the trees take for unknown values."""
        return fill_unknown(matrix, self.fill)

    def margin_of(self, matrix: Matrix) -> Floats:
        """As `margin`, of a matrix."""
        if not len(matrix):
            # Of no rows, newer versions of XGBoost give a margin of two dimensions.
            return np.empty(0)
        margins = [bag.inplace_predict(matrix, predict_type="margin").astype(np.float64) for bag in self.bags]
        return _mean(margins)

    def contributions_of(self, matrix: Matrix) -> Floats:
        """What each feature adds to the margin (exact TreeSHAP), and in the last column where all begin."""
        from xgboost import DMatrix  # noqa: PLC0415

        if not len(matrix):
            return np.empty((0, len(self.features) + 1))
        data = DMatrix(matrix, nthread=min(THREADS, len(matrix)))
        return _mean([bag.predict(data, pred_contribs=True).astype(np.float64) for bag in self.bags])


@dataclass(frozen=True)
class LightgbmModel:
    """Fitted trees of LightGBM; one ensemble a bag."""

    features: tuple[Feature, ...]
    bags: tuple[Any, ...]
    fill: Matrix | None = None

    def margin(self, frame: pl.DataFrame) -> Floats:
        """Log-odds before calibration, one a row: the mean over the bags."""
        matrix = fill_unknown(matrix_of(frame, self.features), self.fill)
        return _mean([bag.predict(matrix, raw_score=True, num_threads=THREADS) for bag in self.bags])


def fit_xgboost(sample: Sample, features: Sequence[Feature], seed: int, parameters: BoosterParameters) -> XgboostModel:
    """Grow the trees of XGBoost."""
    import xgboost  # noqa: PLC0415

    data = xgboost.QuantileDMatrix(
        sample.matrix, sample.labels, weight=sample.weights, nthread=THREADS, max_bin=parameters.bins
    )
    options = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "nthread": THREADS,
        "eta": parameters.learning_rate,
        "max_depth": parameters.depth,
        "min_child_weight": parameters.least_weight,
        "subsample": parameters.rows_share,
        "colsample_bytree": parameters.columns_share,
        "lambda": parameters.l2,
        "max_bin": parameters.bins,
        "verbosity": 0,
    }
    if parameters.monotone:
        options["monotone_constraints"] = tuple(feature.trend for feature in features)
    bags = [
        xgboost.train({**options, "seed": seed + bag}, data, num_boost_round=parameters.trees)
        for bag in range(parameters.bags)
    ]
    return XgboostModel(tuple(features), tuple(bags), sample.fill)


def fit_lightgbm(
    sample: Sample, features: Sequence[Feature], seed: int, parameters: BoosterParameters
) -> LightgbmModel:
    """Grow the trees of LightGBM."""
    import lightgbm  # noqa: PLC0415

    options = {
        "objective": "binary",
        "num_threads": THREADS,
        "deterministic": True,
        "force_row_wise": True,
        "learning_rate": parameters.learning_rate,
        "max_depth": parameters.depth,
        "num_leaves": 2**parameters.depth,
        "min_sum_hessian_in_leaf": parameters.least_weight,
        "bagging_fraction": parameters.rows_share,
        "bagging_freq": 1,
        "feature_fraction": parameters.columns_share,
        "lambda_l2": parameters.l2,
        # LightGBM counts the bin of unknown values among them.
        "max_bin": parameters.bins - 1,
        "verbosity": -1,
    }
    if parameters.monotone:
        options["monotone_constraints"] = [feature.trend for feature in features]
    bags = []
    for bag in range(parameters.bags):
        seeded = {**options, "seed": seed + bag}
        data = lightgbm.Dataset(sample.matrix, sample.labels, weight=sample.weights, params=seeded)
        bags.append(lightgbm.train(seeded, data, num_boost_round=parameters.trees))
    return LightgbmModel(tuple(features), tuple(bags), sample.fill)


def _mean(values: Sequence[Floats]) -> Floats:
    mean: Floats = np.mean(values, axis=0) if len(values) > 1 else np.asarray(values[0], dtype=np.float64)
    return mean
