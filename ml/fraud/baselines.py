"""What a model has to beat: a logistic regression, and the two-line rule that an officer would write first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.catalogue import Feature
from ml.fraud.examples import Floats, Matrix, matrix_of
from ml.fraud.imbalance import Sample, fill_unknown
from warehouse.errors import ModelError

# Steps of the solver after which it stops where it is; standardised columns need some tens.
SOLVER_STEPS = 1000


@dataclass(frozen=True)
class LogisticModel:
    """Imputation, standardisation and weights, all of them from the training fold."""

    features: tuple[Feature, ...]
    pipeline: Any
    fill: Matrix | None = None

    def margin(self, frame: pl.DataFrame) -> Floats:
        """Log-odds, one a row."""
        matrix = fill_unknown(matrix_of(frame, self.features), self.fill)
        margin: Floats = np.asarray(self.pipeline.decision_function(matrix), dtype=np.float64)
        return margin


@dataclass(frozen=True)
class Rule:
    """`amount > limit OR the counterparty's known frauds`: the more of them, the higher.

    The limit is the one with the best F1 in the training fold; the risk is a column of shares between 0 and 1.
    """

    amount: str
    limit: float
    risk: str | None

    def margin(self, frame: pl.DataFrame) -> Floats:
        """1 above the limit, else the risk; 0 where that is unknown."""
        if missing := [name for name in (self.amount, self.risk) if name and name not in frame.columns]:
            raise ModelError(f"the rule needs {', '.join(missing)}", remedy="compute the features first")
        risk = pl.col(self.risk).cast(pl.Float64).fill_null(0.0) if self.risk else pl.lit(0.0)
        flagged = pl.when(pl.col(self.amount) > self.limit).then(1.0).otherwise(risk)
        return frame.select(flagged.alias("margin"))["margin"].to_numpy()


def fit_logistic(sample: Sample, features: Sequence[Feature], seed: int) -> LogisticModel:
    """Weights of the standardised features; a flag beside each feature that is sometimes unknown."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    pipeline = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=SOLVER_STEPS, random_state=seed),
    )
    # 64 bits: sums of squares over a million amounts do not fit into 32.
    pipeline.fit(sample.matrix.astype(np.float64), sample.labels, logisticregression__sample_weight=sample.weights)
    return LogisticModel(tuple(features), pipeline, sample.fill)


def fit_rule(amounts: Floats, labels: npt.NDArray[np.bool_], amount: str, risk: str | None) -> Rule:
    """The rule with its limit."""
    order = np.argsort(-amounts, kind="stable")
    frauds = np.cumsum(labels[order])
    f1 = 2 * frauds / (np.arange(1, len(order) + 1) + labels.sum())
    # A limit lies between two different amounts: only the last of equal ones can be cut after.
    ordered = amounts[order]
    cuts = np.flatnonzero(np.append(ordered[:-1] != ordered[1:], False))
    if not len(cuts):
        return Rule(amount, float("inf"), risk)
    best = cuts[np.argmax(f1[cuts])]
    return Rule(amount, float(ordered[best + 1]), risk)
