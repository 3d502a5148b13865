"""The whole list of features from Parquet, the windows that DuckDB knows against DuckDB, a hot client, and parity.

`python -m bench.features --rows 1m --rounds 3`, or `--data` with the Fraud Detection Handbook's file.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import polars as pl

from bench.drawn import drawn
from bench.handbook import handbook, labels_of, transactions_of
from bench.machine import processor
from bench.parity import compare
from bench.peers.contest import install_scripts, run_script
from bench.ratios import alternating, rates, ratios, spread
from bench.sizes import rows_of
from bench.windows import differences, windows, write_source
from ml.features.blocks import THREADS
from ml.features.catalogue import FEATURES
from ml.features.extract import extract
from warehouse.machine import this_machine

DRAWN_ROWS = 1_000_000
HOT_ROWS = (25_000, 50_000, 100_000)
DUCKDB = "duckdb_windows"


def main() -> None:
    """Measure and print."""
    options = _options()
    rows = handbook(options.data) if options.data else drawn(options.rows or DRAWN_ROWS)
    rows = rows.head(options.rows or rows.height)
    print(
        f"{rows.height:,} rows of {rows['client'].n_unique():,} clients; {this_machine().cores} cores ({processor()})"
    )
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as name:
        _measure(rows, Path(name), options.rounds)
    _hot(options.rounds)
    if options.parity:
        _parity(rows.head(options.parity))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench-features", description=__doc__)
    parser.add_argument("--data", type=Path, help="the Handbook's transactions in Parquet; default: drawn ones")
    parser.add_argument("--rows", type=rows_of, help="300k, 1m or a number; default: all of --data, or 1m")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parity", type=rows_of, help="compare so many first rows, one by one; default: none")
    return parser.parse_args()


def _measure(rows: pl.DataFrame, folder: Path, rounds: int) -> None:
    transactions, labels, source = (folder / f"{name}.parquet" for name in ("transactions", "labels", "windows"))
    transactions_of(rows).write_parquet(transactions)
    labels_of(rows).write_parquet(labels)
    write_source(rows, source)
    install_scripts(DUCKDB)
    seconds: dict[str, list[float]] = {"features": [], "features_32": [], "windows": [], "duckdb": []}
    cores: dict[str, list[float]] = {name: [] for name in seconds}
    given = pl.scan_parquet(transactions), pl.scan_parquet(labels)
    work: dict[str, Callable[[], tuple[float, float]]] = {
        "features": lambda: _timed(lambda: extract(*given).collect()),
        "features_32": lambda: _timed(lambda: extract(*given, dtype=pl.Float32).collect()),
        "windows": lambda: _timed(lambda: windows(source)),
        "duckdb": lambda: _duckdb(source, folder / "duckdb.parquet"),
    }
    print(f"machine code of the loops: loaded, or made anew, in {_load(rows.head(1000), folder):.1f} s", flush=True)
    for number in range(rounds):
        for name in alternating(list(work), number):
            wall, core = work[name]()
            seconds[name].append(wall)
            cores[name].append(core)
        told = ", ".join(f"{name} {seconds[name][-1]:.2f} s ({cores[name][-1]:.2f} core s)" for name in work)
        print(f"round {number + 1}: {told}", flush=True)
    different = differences(windows(source), pl.read_parquet(folder / "duckdb.parquet"))
    _print(rows.height, seconds, cores, different)


def _load(rows: pl.DataFrame, folder: Path) -> float:
    """Seconds until all that is compiled is there, which each process needs once."""
    began, source = time.perf_counter(), folder / "few.parquet"
    for dtype in (pl.Float32, pl.Float64):
        extract(transactions_of(rows).lazy(), labels_of(rows).lazy(), dtype=dtype).collect()
    write_source(rows, source)
    windows(source)
    return time.perf_counter() - began


def _print(
    rows: int, seconds: dict[str, list[float]], cores: dict[str, list[float]], different: dict[str, int]
) -> None:
    print(f"features: all {len(FEATURES)} from Parquet, {rates(rows, seconds['features']):,.0f} rows/s,")
    by_core = rates(rows, (core / THREADS for core in cores["features"]))
    print(f"          {by_core:,.0f} rows/s if {THREADS} cores shared its core seconds evenly;")
    print(f"          {rates(rows, seconds['features_32']):,.0f} rows/s in the 32 bits that models take")
    print(f"windows : {spread(seconds['windows']):.2f} s, {spread(cores['windows']):.2f} core s")
    print(f"duckdb  : {spread(seconds['duckdb']):.2f} s, {spread(cores['duckdb']):.2f} core s")
    print(f"ratio   : {ratios(seconds['windows'], seconds['duckdb']):.2f} by seconds,", end=" ")
    print(f"{ratios(cores['windows'], cores['duckdb']):.2f} by core seconds; rows that differ: {different or 0}")
    if different:
        raise SystemExit("error: the windows are not those of DuckDB")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, core = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - core


def _duckdb(source: Path, result: Path) -> tuple[float, float]:
    told = json.loads(run_script(DUCKDB, source, result))
    return told["seconds"], told["core_seconds"]


def _hot(rounds: int) -> None:
    """One client and one day: the time of a row must not grow with the rows."""
    drawings = [drawn(rows, clients=1, days=1) for rows in HOT_ROWS]
    cores: dict[int, list[float]] = {rows: [] for rows in HOT_ROWS}
    for _ in range(rounds + 1):
        for one in drawings:
            given = transactions_of(one).lazy(), labels_of(one).lazy()
            cores[one.height].append(_timed(lambda given=given: extract(*given).collect())[1])  # type: ignore[misc]
    for rows, found in cores.items():
        # The first round is warmer for those that come later.
        micro = spread(core / rows * 1e6 for core in found[1:])
        print(f"one client, {rows:>7,} rows in a day: {spread(found[1:]):.3f} core s, {micro:.2f} microseconds a row")


def _parity(rows: pl.DataFrame) -> None:
    began = time.perf_counter()
    found = compare(transactions_of(rows), labels_of(rows))
    seconds = time.perf_counter() - began
    different, last = sum(found.different.values()), quantiles(found.seconds, n=100)[98]
    print(f"parity  : {rows.height:,} rows x {len(FEATURES)} features one by one: {different} differences", end=" ")
    print(found.different or "")
    print(f"          {rows.height / seconds:,.0f} rows/s with their history and the batch;", end=" ")
    print(f"one transaction {median(found.seconds) * 1000:.2f} ms, 99 of 100 below {last * 1000:.2f} ms")
    if found.different:
        raise SystemExit("error: the batch is not what the definitions say")


if __name__ == "__main__":
    main()
