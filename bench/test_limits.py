"""The physical limits, the share of them that the load reaches, and the bill of its steps."""

from typing import Literal

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.limits import measure
from bench.server import Server
from bench.sources import Source


@pytest.mark.benchmark(group="limits")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_limits(
    benchmark: BenchmarkFixture, server: Server, rows: int, rounds: int, form: Literal["csv", "parquet"]
) -> None:
    """Its seconds are those of the whole measurement; what counts stands beside them."""
    found = benchmark.pedantic(measure, (server, Source(rows, form), rounds), rounds=1, iterations=1)
    benchmark.extra_info |= found.to_json()
    assert found.sum > 0
