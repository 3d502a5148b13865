"""Whether what is scored still looks like what was learned from: population stability index, with its noise floor."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.features.catalogue import Feature
from ml.fraud.examples import Floats, Matrix

BINS = 10

# Of the index, above its noise floor: below the first stable, above the second another population.
MODERATE, LARGE = 0.1, 0.25

# Added to the rows of each bin, so that the index stays finite; a fixed least share would make one empty bin of a small
# sample a drift of its own.
ADDED = 0.5

SCORE = "fraud_score"

# So many features that moved by much are another population, whatever the score does.
RETRAIN_SHARE = 0.2

STABLE, MODERATE_DRIFT, LARGE_DRIFT = STATES = ("stable", "moderate", "large")


@dataclass(frozen=True)
class Drift:
    """The index of one column; `floor` is what chance alone gives with so many rows, on average."""

    name: str
    family: str
    psi: float
    floor: float

    @property
    def state(self) -> str:
        """Stable, moderate or large: by what is above the floor."""
        return STATES[(self.psi - self.floor >= MODERATE) + (self.psi - self.floor >= LARGE)]


@dataclass(frozen=True)
class DriftReport:
    """The score first, then the features, most moved first."""

    rows: int
    columns: tuple[Drift, ...]

    def to_json(self) -> dict[str, Any]:
        """Within the object that `--json` prints."""
        columns = [{**asdict(column), "state": column.state} for column in self.columns]
        return {"transactions": self.rows, "columns": columns}

    @property
    def retrain(self) -> str | None:
        """Why a new model is wanted; None: it is not."""
        score = next(column for column in self.columns if column.name == SCORE)
        if score.state == LARGE_DRIFT:
            return f"the scores come from another population: PSI {score.psi:.2f}"
        features = [column for column in self.columns if column.name != SCORE]
        moved = [column for column in features if column.state == LARGE_DRIFT]
        if len(moved) > RETRAIN_SHARE * len(features):
            return f"{len(moved)} of {len(features)} features come from another population"
        return None


def reference_of(matrix: Matrix, score: Floats, features: Sequence[Feature]) -> dict[str, Any]:
    """Bins by quantiles of the training rows and the rows in each, NULL last: what drift is measured against."""
    columns = {feature.name: _binned(matrix[:, place]) for place, feature in enumerate(features)}
    return {"rows": len(score), "columns": {**columns, SCORE: _binned(score)}}


def drift(reference: dict[str, Any], matrix: Matrix, score: Floats, features: Sequence[Feature]) -> DriftReport:
    """The index of every feature and of the score."""
    rows, columns = len(score), reference["columns"]
    found = [Drift(SCORE, "score", *_index(columns[SCORE], score))]
    moved = [
        Drift(feature.name, feature.family, *_index(columns[feature.name], matrix[:, place]))
        for place, feature in enumerate(features)
    ]
    moved.sort(key=lambda one: (one.floor - one.psi, one.name))
    return DriftReport(rows, (*found, *moved))


def _binned(values: Matrix | Floats) -> dict[str, Any]:
    known = values[~np.isnan(values)].astype(np.float64)
    quantiles = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf") if len(known) else np.empty(0)
    edges = np.unique(quantiles)
    return {"edges": edges.tolist(), "rows": _counts(values, edges).tolist()}


def _counts(values: Matrix | Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """Rows of each bin, closed at its upper edge, and of unknown values."""
    unknown = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~unknown], side="left"), minlength=len(edges) + 1)
    return np.append(counts, unknown.sum())


def _index(reference: dict[str, Any], values: Matrix | Floats) -> tuple[float, float]:
    expected, found = np.array(reference["rows"]), _counts(values, np.array(reference["edges"]))
    there = (expected > 0) | (found > 0)
    e, f = ((rows[there] + ADDED) / (rows.sum() + ADDED * there.sum()) for rows in (expected, found))
    floor = (int(there.sum()) - 1) * (1 / max(expected.sum(), 1) + 1 / max(found.sum(), 1))
    return float(np.sum((f - e) * np.log(f / e))), float(floor)
