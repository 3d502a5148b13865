"""`cauri fraud score --all`: read, features, predict, explain the alerts, write; and one prepared row."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.measure import Summary, measure
from bench.server import Server
from bench.trees import THIS
from ml.features.catalogue import FEATURES
from ml.fraud.explanation import explain_row
from ml.fraud.registry import Registered, Registry

LOADED = "bench_scoring"


@pytest.fixture(scope="module")
def champion(server: Server, folder_of: Callable[..., Path]) -> Iterator[Registered]:
    """Trained on a warehouse that the benchmarks copy, as `cauri fraud train` does by default."""
    url = server.fresh(LOADED)
    shutil.rmtree(THIS.home / "models", ignore_errors=True)
    THIS.load(url, folder_of())
    THIS.timed(url, "fraud", "train", "--quiet")
    yield Registry(THIS.home / "models" / "fraud").load()
    # A night of another benchmark would score by it.
    shutil.rmtree(THIS.home / "models")


@pytest.mark.benchmark(group="scoring")
@pytest.mark.usefixtures("champion")
def test_every_transaction(benchmark: BenchmarkFixture, server: Server, rounds: int) -> None:
    def score(url: str) -> Summary:
        return THIS.timed(url, "fraud", "score", "--all")

    told: list[dict[str, Any]] = measure(benchmark, lambda: server.fresh("bench_scored", LOADED), score, rounds)
    server.drop("bench_scored")
    best = max(told, key=lambda one: one["rows_per_second"])
    benchmark.extra_info |= {"rows": best["transactions"]} | {
        name: best[name] for name in ("seconds", "rows_per_second", "parts", "bands")
    }


@pytest.mark.benchmark(group="scoring of one")
def test_one_row(benchmark: BenchmarkFixture, champion: Registered) -> None:
    """Score, band, reasons and the part of every feature, of a row whose features are there."""
    row = pl.DataFrame({feature.name: [1.0] for feature in FEATURES})
    found = benchmark(explain_row, champion, row)
    assert 0 <= found.fraud_score <= 1
