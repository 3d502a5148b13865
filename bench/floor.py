"""The whole load against the floor: two parallel `psql \\copy` of the same rows, clean and keyed, then their indexes.

Both in one run, alternating, on one server. `python -m bench.floor --rows 3m --rounds 3`
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from bench.peers.contest import FLOOR, run
from bench.peers.target import prepare
from bench.ratios import rates, ratios, spread
from bench.server import Server, running_server
from bench.sizes import rows_of
from bench.sources import Source
from bench.trees import THIS


def main() -> None:
    """Measure and print one line a round, then the medians."""
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="cauri-bench-", dir=options.folder) as name,
        running_server(Path(name)) as server,
    ):
        _measure(server, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench-floor", description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m, 36m or a number")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="directory of feeds; default: a sample without bad rows")
    parser.add_argument("--dirty", type=float, default=0.0, help="share of bad rows in the sample")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--folder", type=Path, help="where to work; default: the temporary directory")
    return parser.parse_args()


def _measure(server: Server, options: argparse.Namespace) -> None:
    sample = Source(options.rows, options.format, dirty=options.dirty)
    target = prepare(server, options.source or sample.folder(server.folder), "floor", named=False)
    loads, floors = [], []
    summary: dict[str, Any] = {}
    for number in range(options.rounds):
        summary = THIS.load(server.fresh("bench_load"), target.source)
        loads.append(summary["wall"])
        finish = run(FLOOR, server, target)
        floors.append(finish.seconds)
        if not finish.same:
            raise SystemExit("error: the floor's rows are not those of the load")
        print(
            f"round {number + 1}: load {loads[-1]:.2f} s, floor {floors[-1]:.2f} s, ratio {floors[-1] / loads[-1]:.3f}"
        )
    rows = summary["rows"]["read"]
    print(f"load : {spread(loads):.2f} s, {rates(rows, loads):,.0f} rows/s of {rows:,} rows read")
    print(f"floor: {spread(floors):.2f} s, {rates(rows, floors):,.0f} rows/s")
    print(f"ratio: {ratios(loads, floors):.3f}; peak {summary['peak_rss_bytes'] / 2**20:,.0f} MiB")
    for step in summary["steps"]:
        print(f"  {step['step']} {step['name']:<20} {step['seconds']:8.2f} s")


if __name__ == "__main__":
    main()
