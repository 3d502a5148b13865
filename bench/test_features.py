"""`ml.features.extract`: the whole list, from Parquet, of rows drawn in the shape of the Handbook's."""

from pathlib import Path

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.drawn import drawn
from bench.handbook import labels_of, transactions_of
from ml.features.extract import extract


@pytest.fixture(scope="module")
def files(rows: int, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Transactions and labels."""
    folder, given = tmp_path_factory.mktemp("features"), drawn(rows)
    transactions, labels = folder / "transactions.parquet", folder / "labels.parquet"
    transactions_of(given).write_parquet(transactions)
    labels_of(given).write_parquet(labels)
    return transactions, labels


@pytest.mark.benchmark(group="features")
def test_whole_list(benchmark: BenchmarkFixture, files: tuple[Path, Path], rows: int, rounds: int) -> None:
    def work() -> pl.DataFrame:
        transactions, labels = map(pl.scan_parquet, files)
        return extract(transactions, labels).collect()

    found = benchmark.pedantic(work, rounds=rounds, iterations=1, warmup_rounds=1)
    assert found.height == rows
    benchmark.extra_info |= {"rows": rows}
