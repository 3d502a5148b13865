"""What is done about frauds being few, inside a training fold only: nothing, class weight, or SMOTE."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from ml.fraud.examples import Floats, Matrix
from warehouse.errors import TrainingError

# Neighbours between which SMOTE interpolates: its authors' choice.
NEIGHBOURS = 5


class Imbalance(StrEnum):
    """None is the default: it ranks best and leaves the margin a log-odds (docs/fraud.md has the comparison)."""

    NONE = "none"
    WEIGHT = "weight"
    SMOTE = "smote"


@dataclass(frozen=True)
class Sample:
    """What a model is fitted on. `fill` stands for unknown values, where the method cannot leave them unknown."""

    matrix: Matrix
    labels: npt.NDArray[np.bool_]
    weights: Floats | None = None
    fill: Matrix | None = None

    def filled(self, matrix: Matrix) -> Matrix:
        """A matrix to predict for, treated as the sample was."""
        return fill_unknown(matrix, self.fill)


def fill_unknown(matrix: Matrix, fill: Matrix | None) -> Matrix:
    """The matrix with a value for each unknown one, by column."""
    return matrix if fill is None else np.where(np.isnan(matrix), fill, matrix)


def balanced(matrix: Matrix, labels: npt.NDArray[np.bool_], imbalance: Imbalance, seed: int) -> Sample:
    """The examples of a training fold after the treatment.

    Raises:
        TrainingError: too few frauds to interpolate between.
    """
    match imbalance:
        case Imbalance.NONE:
            return Sample(matrix, labels)
        case Imbalance.WEIGHT:
            return Sample(matrix, labels, weights=np.where(labels, (~labels).sum() / labels.sum(), 1.0))
        case Imbalance.SMOTE:
            return _oversampled(matrix, labels, seed)


def _oversampled(matrix: Matrix, labels: npt.NDArray[np.bool_], seed: int) -> Sample:
    """As many frauds as honest examples, the new ones between neighbours in standardised values."""
    from imblearn.over_sampling import SMOTE  # noqa: PLC0415

    rarer = int(min(labels.sum(), (~labels).sum()))
    if rarer < 2:
        raise TrainingError(
            "SMOTE interpolates between frauds, and there is 1 only",
            remedy="choose a longer training window, or --imbalance none",
        )
    fill = medians(matrix)
    known = fill_unknown(matrix, fill)
    centre, spread = known.mean(axis=0, dtype=np.float64), known.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1
    sampler = SMOTE(random_state=seed, k_neighbors=min(NEIGHBOURS, rarer - 1))
    points, resampled = sampler.fit_resample((known - centre) / spread, labels)
    # What was there stays bit for bit; only the new rows come from the arithmetic.
    made = (points[len(known) :] * spread + centre).astype(np.float32)
    return Sample(np.vstack([known, made]), np.asarray(resampled, dtype=bool), fill=fill)


def medians(matrix: Matrix) -> Matrix:
    """Median of the known values of each column; 0 where none is known."""
    nothing = np.isnan(matrix).all(axis=0)
    found: Matrix = np.nanmedian(np.where(nothing, np.float32(0), matrix), axis=0).astype(np.float32)
    return found
