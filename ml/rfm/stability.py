"""How firm the clusters are: against chance, against other numbers of clusters, against the quintiles."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from ml.rfm.clusters import assign, fit_centroids
from ml.rfm.model import SEED, Model
from ml.rfm.scaling import Floats, fit_scaling
from ml.rfm.values import Values, is_active
from warehouse.errors import DataRefusedError

BOOTSTRAPS = 20
NUMBERS_OF_CLUSTERS = range(2, 11)
# Silhouettes compare all with all.
MOST_POINTS = 4_000
STARTS = 4


def quality(values: Values, model: Model) -> dict[str, Any]:
    """What is measured of a model, as it is kept beside it."""
    active = values.clients.filter(is_active)
    points = model.scaling.apply(active)
    found = model.segmented(active)
    return {
        "bootstrap_ari": bootstrap_ari(active, model),
        "silhouettes": silhouettes(points),
        "silhouette": silhouette(points, found["segment"].to_numpy()),
        "quintile_ari": round(float(adjusted_rand_score(found["segment"], found["quintile_segment"])), 4),
        "inertia": round(float(((points - np.array(model.centroids)[found["segment"] - 1]) ** 2).sum()), 4),
    }


def bootstrap_ari(active: pl.DataFrame, model: Model) -> dict[str, Any]:
    """Fit on clients drawn with replacement, give all clients their segments, and compare with those they have: the
    adjusted Rand index, 1 for equal. `refused` counts draws whose clusters would not have been accepted.
    """
    dice = np.random.default_rng(SEED)
    segments = model.segments(active).to_numpy()
    found, refused = [], 0
    for _ in range(BOOTSTRAPS):
        drawn = active[dice.integers(0, active.height, active.height)]
        scaling = fit_scaling(drawn, model.scaling.exponent)
        try:
            centroids = fit_centroids(scaling.apply(drawn))
        except DataRefusedError:
            refused += 1
            continue
        found.append(float(adjusted_rand_score(segments, assign(scaling.apply(active), centroids))))
    told = {"mean": np.mean(found), "least": np.min(found)} if found else {"mean": 0.0, "least": 0.0}
    return {**{name: round(float(one), 4) for name, one in told.items()}, "draws": BOOTSTRAPS, "refused": refused}


def silhouettes(points: Floats) -> dict[str, float]:
    """Mean silhouette of so many clusters from random starts: five are a choice, and this is its price."""
    sample = points[_chosen(points)]
    different = len(np.unique(sample, axis=0))
    with threadpool_limits(1):
        return {
            str(k): _silhouette(sample, KMeans(k, n_init=STARTS, random_state=SEED).fit_predict(sample))
            for k in NUMBERS_OF_CLUSTERS
            if k < different
        }


def silhouette(points: Floats, segments: Floats) -> float:
    """Mean silhouette of the segments, over the same sample."""
    chosen = _chosen(points)
    return _silhouette(points[chosen], segments[chosen])


def _chosen(points: Floats) -> npt.NDArray[np.int64]:
    if len(points) <= MOST_POINTS:
        return np.arange(len(points))
    return np.sort(np.random.default_rng(SEED).choice(len(points), MOST_POINTS, replace=False))


def _silhouette(points: Floats, labels: Floats) -> float:
    if not 1 < len(np.unique(labels)) < len(points):
        return 0.0
    return round(float(silhouette_score(points, labels)), 4)
