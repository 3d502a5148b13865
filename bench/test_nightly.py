"""`cauri nightly` with a day of 50,000 rows, into a warehouse of so many."""

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.days import ROWS_A_DAY, Days
from bench.measure import keep, measure
from bench.nightly import Warehouse
from bench.server import FOLDER, Server
from sample.plan import SamplePlan


@pytest.mark.benchmark(group="nightly")
@pytest.mark.parametrize("troubled", [False, True], ids=["plain", "troubled"])
def test_nightly(benchmark: BenchmarkFixture, server: Server, rows: int, rounds: int, troubled: bool) -> None:
    warehouse = Warehouse(server, rows)
    first, second = Days(FOLDER / f"days-{rows}", SamplePlan(rows).client_count).prepare([False, troubled])

    def after_the_first_day() -> Path:
        warehouse.prepare()
        warehouse.load(first)
        return second

    told = measure(benchmark, after_the_first_day, warehouse.load, rounds)
    keep(benchmark, ROWS_A_DAY, told)
    benchmark.extra_info["into_rows"] = rows
    assert all(one["rows"]["loaded"] for one in told)
