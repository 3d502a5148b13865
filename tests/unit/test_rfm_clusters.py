"""Clusters: named by where they lie, refused if they do not mean it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rfm.clusters import assign, fit_centroids, named, require_order
from ml.rfm.prototypes import names, prototypes, segments
from ml.rfm.scaling import AXES, Floats, fit_scaling
from ml.rfm.values import is_active
from tests.segments import business, values
from warehouse.errors import DataRefusedError


@given(st.permutations(range(5)), st.integers(0, 2**32 - 1))
def test_names_do_not_depend_on_the_order_of_the_clusters(order: list[int], seed: int) -> None:
    centroids = prototypes() + np.random.default_rng(seed).normal(0, 0.1, (5, 3))
    assert np.array_equal(named(centroids[order]), named(centroids))
    assert np.array_equal(named(prototypes()[order]), prototypes())


def test_the_prototypes_mean_what_they_say() -> None:
    require_order(prototypes())
    assert list(names().values()) == ["Champions", "Loyal", "At Risk", "Hibernating", "Lost"]
    assert all(one.action and one.action_fr and one.name_fr and one.meaning_fr for one in segments())


@pytest.mark.parametrize(
    ("changed", "value", "broken"),
    [
        ((0, 0), -1.0, "Champions are more recent than At Risk"),
        ((1, 0), -1.0, "Loyal are more recent than At Risk"),
        ((4, 0), -0.8, "At Risk are more recent than Lost"),
        ((2, 2), 1.3, "Champions are worth most"),
    ],
)
def test_centroids_without_the_order_of_the_names(changed: tuple[int, int], value: float, broken: str) -> None:
    centroids = prototypes()
    centroids[changed] = value
    with pytest.raises(DataRefusedError, match=broken) as refused:
        require_order(centroids)
    assert refused.value.facts["broken"] == [broken]


def test_of_two_segments_at_the_same_distance_the_better_one() -> None:
    centroids = np.array([[1.0, 0, 0], [-1.0, 0, 0], [9, 9, 9], [9, 9, 9], [9, 9, 9]])
    assert assign(np.zeros((1, 3)), centroids).tolist() == [1]


@pytest.mark.parametrize("count", [1, 4])
def test_fewer_clients_than_segments(count: int) -> None:
    points: Floats = np.arange(count * 3, dtype=np.float64).reshape(count, 3)
    with pytest.raises(DataRefusedError, match=f"{count} active client"):
        fit_centroids(points)


def test_fewer_different_clients_than_segments() -> None:
    with pytest.raises(DataRefusedError, match=r"100 active client\(s\) have 1 different"):
        fit_centroids(np.zeros((100, 3)))


def test_the_scale_is_that_of_capped_logarithms() -> None:
    active = business().clients.filter(is_active)
    scaling = fit_scaling(active, 0)
    points = scaling.apply(active)
    assert np.allclose(points.mean(axis=0), 0, atol=1e-8)
    assert np.allclose(points.std(axis=0), 1, atol=1e-8)
    capped = [int((active[name] > cap).sum()) for name, cap in zip(AXES, scaling.caps, strict=True)]
    assert all(count <= active.height * 0.005 + 1 for count in capped)
    # More is better on every axis, and above the cap nothing more is gained.
    huge = values(recency=[1, 10], frequency=[5, 1], monetary_minor=[10**17, 10**16]).clients
    better, worse = scaling.apply(huge)
    assert better[0] > worse[0]
    assert better[1] > worse[1]
    assert better[2] == worse[2]


def test_an_axis_on_which_all_are_equal_says_nothing() -> None:
    clients = values(recency=[1, 5, 50], frequency=[3, 2, 1], monetary_minor=[70, 70, 70]).clients
    assert np.allclose(fit_scaling(clients, 0).apply(clients)[:, 2], 0, atol=1e-8)
