"""`cauri refresh`: of everything, after a day of 50,000 rows, and where nothing changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.days import ROWS_A_DAY, Days
from bench.measure import Summary, keep, measure
from bench.server import FOLDER, Server
from bench.trees import THIS
from sample.plan import SamplePlan


@pytest.mark.benchmark(group="refresh")
@pytest.mark.parametrize("what", ["nothing", "all"])
def test_refresh(
    benchmark: BenchmarkFixture, server: Server, folder_of: Callable[..., Path], rows: int, rounds: int, what: str
) -> None:
    """Each view stands beside the whole."""
    url = server.fresh("bench_load")
    THIS.load(url, folder_of())
    THIS.timed(url, "refresh")
    arguments = ["--rebuild"] if what == "all" else []
    told = measure(benchmark, lambda: url, lambda found: _by_view(THIS.timed(found, "refresh", *arguments)), rounds)
    keep(benchmark, rows, told)
    assert all(one["refreshed_views"] for one in told)


@pytest.mark.benchmark(group="refresh")
def test_refresh_after_a_day(
    benchmark: BenchmarkFixture, server: Server, folder_of: Callable[..., Path], rows: int, rounds: int
) -> None:
    """A plain day into a warehouse whose dashboards are up to date."""
    url = server.fresh("bench_load")
    THIS.load(url, folder_of())
    THIS.timed(url, "refresh")
    (day,) = Days(FOLDER / f"days-{rows}", SamplePlan(rows).client_count).prepare([False])

    def loaded() -> str:
        copy = server.fresh("bench_refresh", "bench_load")
        THIS.timed(copy, "load", day, "--quiet")
        return copy

    told = measure(benchmark, loaded, lambda found: _by_view(THIS.timed(found, "refresh")), rounds)
    keep(benchmark, ROWS_A_DAY, told)
    server.drop("bench_refresh")
    assert all(one["days"] for one in told)


def _by_view(told: Summary) -> Summary:
    views = enumerate(told["views"].items())
    return {**told, "steps": [{"step": number, "name": name, "seconds": taken} for number, (name, taken) in views]}
