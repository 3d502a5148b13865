"""A round of partitions: leaves are made and attached, one month is archived, detached and dropped, and comes back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.measure import Summary, keep, measure
from bench.server import Server
from bench.trees import THIS

TABLES = ("dwh.fact_transactions", "dwh.fact_daily_client_summary")
MONTH = "2024-06"


@pytest.mark.benchmark(group="partitions")
def test_round(
    benchmark: BenchmarkFixture, server: Server, folder_of: Callable[..., Path], rows: int, rounds: int
) -> None:
    """Its parts stand beside the whole: `apply` also makes up for what a load leaves to it."""
    THIS.load(server.fresh("bench_partitions"), folder_of())

    def loaded() -> str:
        shutil.rmtree(THIS.home / "archive", ignore_errors=True)
        return server.fresh("bench_round", "bench_partitions")

    told = measure(benchmark, loaded, _round, rounds)
    keep(benchmark, rows, told)
    server.drop("bench_round", "bench_partitions")
    assert all(one["restored"] for one in told)


def _round(url: str) -> Summary:
    steps: list[dict[str, Any]] = []

    def part(name: str, *arguments: str) -> Summary:
        told = THIS.timed(url, "partitions", *arguments)
        steps.append({"step": len(steps) + 1, "name": name, "seconds": told["wall"]})
        return told

    part("create, attach", "apply", "--quiet")
    for table in TABLES:
        part(f"archive, detach, drop {table}", "archive", table, MONTH, "--drop")
    restored = part("restore", "restore", TABLES[0], MONTH)["restored"]
    return {"steps": steps, "restored": restored}
