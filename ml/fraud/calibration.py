"""From a margin to a probability: fitted on a later window as it came, stored as plain numbers, never falling."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ml.fraud.examples import Floats
from warehouse.errors import TrainingError

# Below so many frauds the steps of an isotonic fit follow single rows; two parameters do not.
FRAUDS_FOR_ISOTONIC = 500
# Share of the Platt curve in an isotonic score: rows on one step keep their order, and the score moves by less than it.
ORDER_KEPT = 1e-3

_NEWTON_STEPS = 100
_CONVERGED = 1e-10


@dataclass(frozen=True)
class Calibrator:
    """`slope` and `intercept` of a logistic curve (Platt); with `knots`, steps of an isotonic fit joined by lines."""

    method: Literal["platt", "isotonic"]
    slope: float
    intercept: float
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def score(self, margin: Floats) -> Floats:
        """Probability of fraud, 0 to 1, one a margin; a higher margin never has a lower one."""
        smooth = sigmoid(self.slope * margin + self.intercept)
        if self.method == "platt":
            return smooth
        return (1 - ORDER_KEPT) * np.interp(margin, self.knots, self.values) + ORDER_KEPT * smooth

    def to_json(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """From a manifest."""
        return cls(**{**document, "knots": tuple(document["knots"]), "values": tuple(document["values"])})


def calibrate(margin: Floats, labels: npt.NDArray[np.bool_], method: str = "auto") -> Calibrator:
    """Fit on a window that no resampling has touched. `auto` is isotonic from 500 frauds on, else Platt.

    Raises:
        TrainingError: no fraud, or no honest row; or frauds do not have the higher margins.
    """
    frauds = int(labels.sum())
    if frauds in {0, len(labels)}:
        raise TrainingError(
            f"the calibration window has {frauds:,} frauds among {len(labels):,} transactions: both kinds are needed",
            remedy="choose a longer calibration window: --calibration-days",
        )
    slope, intercept = _platt(margin, labels)
    if slope <= 0 or margin[labels].mean() <= margin[~labels].mean():
        raise TrainingError(
            f"the {frauds:,} frauds of the calibration window do not have higher margins than the honest transactions",
            remedy="the model has learned nothing that holds there: give more --days, or more --calibration-days",
        )
    if method == "platt" or (method == "auto" and frauds < FRAUDS_FOR_ISOTONIC):
        return Calibrator("platt", slope, intercept)
    return Calibrator("isotonic", slope, intercept, *_isotonic(margin, labels))


def sigmoid(log_odds: Floats) -> Floats:
    """Probability of log-odds, without overflow."""
    positive: Floats = 1 / (1 + np.exp(-np.abs(log_odds)))
    return np.where(log_odds >= 0, positive, 1 - positive)


def _platt(margin: Floats, labels: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Newton's method on the log loss, with the targets that Platt gave to keep finite what can be separated."""
    frauds = labels.sum()
    target = np.where(labels, (frauds + 1) / (frauds + 2), 1 / (len(labels) - frauds + 2))
    columns = np.column_stack([margin, np.ones_like(margin)])
    parameters = np.array([1.0, 0.0])
    loss = _log_loss(columns @ parameters, target)
    for _ in range(_NEWTON_STEPS):
        probability = sigmoid(columns @ parameters)
        gradient = columns.T @ (probability - target)
        weight = probability * (1 - probability)
        # The ridge keeps the system solvable where all margins are equal.
        step = np.linalg.solve((columns.T * weight) @ columns + 1e-9 * np.eye(2), gradient)
        length = 1.0
        while (after := _log_loss(columns @ (parameters - length * step), target)) > loss and length > _CONVERGED:
            length /= 2
        if after > loss - _CONVERGED * max(loss, 1.0):
            break
        parameters, loss = parameters - length * step, after
    return float(parameters[0]), float(parameters[1])


def _log_loss(log_odds: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0, log_odds) - target * log_odds))


def _isotonic(margin: Floats, labels: npt.NDArray[np.bool_]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean margin and the share of frauds of each step."""
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

    steps = IsotonicRegression(y_min=0, y_max=1).fit_transform(margin, labels.astype(np.float64))
    values, step_of_row, rows = np.unique(steps, return_inverse=True, return_counts=True)
    knots = np.bincount(step_of_row, weights=margin) / rows
    return tuple(knots.tolist()), tuple(values.tolist())
