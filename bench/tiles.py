"""Latency of each tile's query while eight read at once, warm: of all that there is, and of a year of a country.

The warehouse of `bench.nightly` is used and kept, with a year of segments and invented scores. Before that, the whole
refresh; after it, that of nights of 50,000 rows. `python -m bench.tiles --rows 36m --days 3`
"""

import argparse
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.days import Days
from bench.invented_scores import invent_scores
from bench.nightly import Warehouse
from bench.server import running_server, with_name
from bench.sizes import rows_of, spoken
from bench.trees import THIS
from dashboards.specification import specification
from dashboards.statements import statement_of
from sample.plan import SamplePlan
from tests.metabase import with_values
from warehouse.connection import connect

# The first of each month of the sample's second year, and of the month after it.
SEGMENTED = [f"{2025 + month // 12}-{month % 12 + 1:02}-01" for month in range(13)]
SPECIFICATION = specification()
TILES = [tile for _, tile in SPECIFICATION.tiles]
# What a reader may have chosen: nothing, which is all there is; or the newest year of a country.
CHOICES: dict[str, dict[str, str]] = {
    "all": {},
    "year": {"since": "2025-01-01", "until": "2025-12-31", "country": "CI"},
}


def main() -> None:
    """Measure; print median and 95th percentile of each tile's query."""
    options = _options()
    if options.url:
        _measure(options.url, options)
        return
    with running_server(options.folder) as server:
        warehouse = Warehouse(server, options.rows)
        warehouse.prepare()
        url = with_name(server.url, warehouse.copy)
        begun = time.perf_counter()
        print(f"scores of {invent_scores(url):,} transactions: {time.perf_counter() - begun:.1f} s", flush=True)
        _segment(url)
        _print_refresh(THIS.timed(url, "refresh", "--rebuild"), f"full refresh, {spoken(options.rows)} transactions")
        _measure(url, options)
        folder = options.folder.resolve() / "days"
        for day in Days(folder, SamplePlan(options.rows).client_count).prepare([False] * options.days):
            night = warehouse.load(day)
            print(f"\nnight of {day.name}: {night['seconds']:.1f} s, {night['rows']['read']:,} rows")
            _print_refresh(night["dashboards"], "its refresh")


def _segment(url: str) -> None:
    """A year of segments: the first month is fitted, the others follow its model."""
    for number, month in enumerate(SEGMENTED):
        told = THIS.timed(url, "rfm", "assign" if number else "fit", "--as-of", month)
        print(f"segments of {month}: {told['clients']:,} clients, {told['wall']:.1f} s", flush=True)


def _print_refresh(told: dict[str, Any], title: str) -> None:
    print(f"{title}: {told['seconds']:.1f} s")
    for name, seconds in told["views"].items():
        print(f"  {name:<28}{seconds:8.2f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3.6m"), help="transactions of the warehouse")
    parser.add_argument("--readers", type=int, default=8, help="how many read at once")
    parser.add_argument("--rounds", type=int, default=30, help="queries of each tile by each reader")
    parser.add_argument("--days", type=int, default=0, help="nights of 50,000 rows after that")
    parser.add_argument("--folder", type=Path, default=Path(".cauri-bench"), help="where the warehouse is kept")
    parser.add_argument("--url", help="a warehouse that is there, and up to date")
    return parser.parse_args()


def _measure(url: str, options: argparse.Namespace) -> None:
    with ThreadPoolExecutor(options.readers) as readers:
        found = list(readers.map(lambda seed: _read(url, seed, options.rounds), range(options.readers)))
    print(f"\n{options.readers} readers at once, each {options.rounds} times; milliseconds")
    print(f"  {'tile':<34}{'view':<28}" + "".join(f"{f'{choice}: median':>14}{'p95':>8}" for choice in CHOICES))
    for tile in TILES:
        taken = [[seconds * 1000 for one in found for seconds in one[tile.id, choice]] for choice in CHOICES]
        told = "".join(f"{median(one):14.0f}{quantiles(one, n=20)[-1]:8.0f}" for one in taken)
        print(f"  {tile.id:<34}{tile.view:<28}{told}")


def _read(url: str, seed: int, rounds: int) -> dict[tuple[str, str], list[float]]:
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    with connect(url, application="cauri tiles") as connection:
        asked = [(tile, choice) for tile in TILES for choice in CHOICES] * (rounds + 1)
        random.Random(seed).shuffle(asked)
        warm: set[tuple[str, str]] = set()
        for tile, choice in asked:
            text = with_values(statement_of(SPECIFICATION, tile), CHOICES[choice])
            begun = time.perf_counter()
            connection.execute(text).fetchall()
            if (tile.id, choice) in warm:
                taken[tile.id, choice].append(time.perf_counter() - begun)
            warm.add((tile.id, choice))
    return taken


if __name__ == "__main__":
    main()
