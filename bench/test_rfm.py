"""Segments of a loaded warehouse: a fit with all that is measured of it, another day by its model, the report."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.measure import keep, measure
from bench.server import Server
from bench.trees import THIS

FITTED, LATER = "2025-12-01", "2026-01-01"
LOADED, WITH_MODEL = "bench_rfm", "bench_rfm_fitted"


@pytest.fixture(scope="module")
def loaded(server: Server, folder_of: Callable[..., Path]) -> Iterator[Server]:
    """The server, with a database of 24 months, and a copy of it that has a model."""
    THIS.load(server.fresh(LOADED), folder_of())
    THIS.timed(server.fresh(WITH_MODEL, LOADED), "rfm", "fit", "--as-of", FITTED)
    yield server
    server.drop(WITH_MODEL, LOADED)


@pytest.mark.benchmark(group="segments")
@pytest.mark.parametrize(
    ("command", "template"),
    [
        (("fit", "--as-of", LATER), LOADED),
        (("assign", "--as-of", LATER), WITH_MODEL),
        (("report",), WITH_MODEL),
    ],
    ids=["fit", "assign", "report"],
)
def test_command(
    benchmark: BenchmarkFixture, loaded: Server, command: tuple[str, ...], template: str, rows: int, rounds: int
) -> None:
    told = measure(
        benchmark,
        lambda: loaded.fresh("bench_rfm_round", template),
        lambda url: THIS.timed(url, "rfm", *command),
        rounds,
    )
    keep(benchmark, rows, told)
    benchmark.extra_info["clients"] = told[0]["clients"]
    loaded.drop("bench_rfm_round")
    assert all(one["clients"] == told[0]["clients"] > 100 for one in told)
