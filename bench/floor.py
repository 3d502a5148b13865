"""The whole load against the floor: two parallel `psql \\copy` of the same rows, clean and keyed, then their indexes.

Both in one run, alternating, on one server. `python -m bench.floor --rows 3000000 --rounds 3`
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from sample.generate import generate
from sample.plan import SamplePlan
from warehouse.binaries import find_binaries
from warehouse.connection import connect, sql
from warehouse.server import LocalServer
from warehouse.settings import Settings

STREAMS = 2
FACT = "fact_transactions"
# Those that a leaf of the warehouse has.
INDEXES = (("UNIQUE", "transaction_id"), ("", "date_key, client_key"), ("", "service_key"))


def main() -> None:
    """Measure and print one line a round, then the medians."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="cauri-bench-", dir=options.folder) as name:
        home = Path(name)
        home.chmod(0o711)
        server = LocalServer(home, find_binaries(Settings(home=home)))
        url = server.start()
        try:
            _measure(url, home, options, Path(server.psql_command()[0]))
        finally:
            server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="directory of feeds; default: a sample without bad rows")
    parser.add_argument("--dirty", type=float, default=0.0, help="share of bad rows in the sample")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--folder", type=Path, help="where to work; default: the temporary directory")
    return parser.parse_args()


def _measure(url: str, home: Path, options: argparse.Namespace, psql: Path) -> None:
    source = options.source or home / "source"
    if options.source is None:
        generate(SamplePlan(rows=options.rows, dirty_share=options.dirty, format=options.format), source)
    loads, floors, summary = [], [], {}
    for number in range(options.rounds):
        summary = _load(_database(url, "bench_load"), home, source)
        loads.append(summary["wall"])
        if number == 0:
            _export(_with_name(url, "bench_load"), home, psql)
        floors.append(_floor(_database(url, "bench_floor"), home, psql))
        rows = sum(leaf["rows"] for leaf in summary["leaves"])
        print(
            f"round {number + 1}: load {loads[-1]:.2f} s, floor {floors[-1]:.2f} s, ratio {floors[-1] / loads[-1]:.3f}"
        )
    rows = summary["rows"]["read"]
    ratios = [floor / load for floor, load in zip(floors, loads, strict=True)]
    print(f"load : {median(loads):.2f} s median, {rows / median(loads):,.0f} rows/s of {rows:,} rows read")
    print(f"floor: {median(floors):.2f} s median, {rows / median(floors):,.0f} rows/s")
    print(
        f"ratio: {median(ratios):.3f} median, {min(ratios):.3f} to {max(ratios):.3f};"
        f" peak {summary['peak_rss_bytes'] / 2**20:,.0f} MiB"
    )
    for step in summary["steps"]:
        print(f"  {step['step']} {step['name']:<20} {step['seconds']:8.2f} s")


def _database(url: str, name: str) -> str:
    with connect(url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.execute("CHECKPOINT")
    return _with_name(url, name)


def _with_name(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl().replace("postgresql:/", "postgresql:///", 1)


def _load(url: str, home: Path, source: Path) -> dict:  # type: ignore[type-arg]
    # Where Python may not keep compiled modules, each start compiles them all again: that is no part of a load.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "CAURI_DATABASE_URL": url,
        "CAURI_HOME": str(home / "load"),
        "CAURI_PSEUDONYM_KEY": "A" * 44,
        "CAURI_VAULT_KEY": "B" * 44,
    }
    cauri = Path(sys.executable).parent / "cauri"
    subprocess.run([cauri, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
    started = time.perf_counter()
    done = subprocess.run(
        [cauri, "load", source, "--json", "--quiet"], env=environment, check=True, stdout=subprocess.PIPE
    )
    wall = time.perf_counter() - started
    return {**json.loads(done.stdout), "wall": wall}


def _export(url: str, home: Path, psql: Path) -> None:
    for leaf in _leaves(url):
        _psql(psql, url, f"\\copy dwh_parts.{leaf} to '{home / leaf}.csv' (format csv)")


def _leaves(url: str) -> list[str]:
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY relname", (f"{FACT}_2%",)
        ).fetchall()
    return [name for (name,) in rows]


def _floor(url: str, home: Path, psql: Path) -> float:
    files = sorted(home.glob(f"{FACT}_2*.csv"), key=lambda path: -path.stat().st_size)
    _create(url, [path.stem for path in files])
    started = time.perf_counter()
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda path: _psql(psql, url, f"\\copy {path.stem} from '{path}' (format csv)"), files))
        list(pool.map(lambda path: _psql(psql, url, *_index_statements(path.stem)), files))
    return time.perf_counter() - started


def _create(url: str, leaves: list[str]) -> None:
    schema = Path(__file__).resolve().parent.parent / "schema" / "migrations" / "0004_facts.sql"
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA dwh")
        connection.execute(schema.read_text())  # type: ignore[arg-type]
        for leaf in leaves:
            connection.execute(
                sql.SQL("CREATE TABLE {} (LIKE dwh.fact_transactions INCLUDING DEFAULTS)").format(sql.Identifier(leaf))
            )


def _index_statements(leaf: str) -> list[str]:
    memory = ["SET maintenance_work_mem = '256MB'", "SET max_parallel_maintenance_workers = 0"]
    return memory + [f"CREATE {unique} INDEX ON {leaf} ({columns})" for unique, columns in INDEXES]


def _psql(psql: Path, url: str, *statements: str) -> None:
    commands = [part for statement in statements for part in ("-c", statement)]
    subprocess.run([psql, "-q", "-X", "-v", "ON_ERROR_STOP=1", url, *commands], check=True)


if __name__ == "__main__":
    main()
