"""`cauri load` into an empty warehouse, from every shape of source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.measure import keep, measure
from bench.server import Server
from bench.trees import THIS

CLEAN: list[dict[str, Any]] = [
    {"format": form, "layout": layout} for form in ("csv", "parquet") for layout in ("months", "one", "scattered")
]
DIRTY: list[dict[str, Any]] = [{"format": form, "dirty": dirty} for form in ("csv", "parquet") for dirty in (0.01, 0.2)]


def _name(shape: dict[str, Any]) -> str:
    return f"{shape['format']}-{shape.get('layout', 'months')}-dirty{shape.get('dirty', 0) * 100:.0f}"


@pytest.mark.benchmark(group="load")
@pytest.mark.parametrize("shape", CLEAN + DIRTY, ids=_name)
def test_load(
    benchmark: BenchmarkFixture,
    server: Server,
    folder_of: Callable[..., Path],
    rows: int,
    rounds: int,
    shape: dict[str, Any],
) -> None:
    source = folder_of(**shape)

    def empty() -> str:
        url = server.fresh("bench_load")
        THIS.init(url)
        return url

    told = measure(benchmark, empty, lambda url: THIS.timed(url, "load", source, "--quiet"), rounds)
    keep(benchmark, rows, told)
    assert {one["feeds"]["transactions"]["read"] for one in told} == {rows}
