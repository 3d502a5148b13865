"""The cost model of a load: seconds = fixed + rows + leaves + clients, fitted to loads of several shapes in one run.

`python -m bench.scale --rows 3m --rounds 2`. Every other figure of docs/scale.md follows from the four numbers.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from bench.machine import describe
from bench.ratios import alternating
from bench.server import Server, running_server
from bench.sizes import rows_of, spoken
from bench.sources import Source
from bench.trees import THIS

FORESEEN = ("36m", "100m", "1000m", "10000m")
# A year has twelve leaves: what is foreseen has so many rows a month as the reference volume, 36 million in 24 months.
ROWS_A_LEAF = 1_500_000
MOST_CLIENTS = 60_000


@dataclass(frozen=True)
class Shape:
    """What a load had to do, and the seconds that it took."""

    rows: int
    leaves: int
    clients: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Model:
    """Seconds of a load, and of each row, leaf and client of it; `error` is the largest relative one of the fit."""

    fixed: float
    row: float
    leaf: float
    client: float
    error: float = 0.0

    def seconds(self, shape: Shape) -> float:
        """What a load of that shape should take."""
        return self.fixed + self.row * shape.rows + self.leaf * shape.leaves + self.client * shape.clients


def fit(shapes: Sequence[Shape]) -> Model:
    """The model with the least squares of relative errors, no part of it below zero.

    Raises:
        ValueError: fewer shapes than parts.
    """
    if len(shapes) < 4:
        raise ValueError(f"{len(shapes)} shapes were measured: four parts need at least as many")
    seconds = np.array([one.seconds for one in shapes])
    parts = np.array([[1, one.rows, one.leaves, one.clients] for one in shapes]) / seconds[:, None]
    kept = [0, 1, 2, 3]
    found = np.zeros(4)
    # A part that comes out below zero is noise: it is left out, and the others are fitted again.
    while True:
        found[:] = 0
        found[kept] = np.linalg.lstsq(parts[:, kept], np.ones(len(shapes)), rcond=None)[0]
        if found.min() >= 0:
            break
        kept.remove(int(found.argmin()))
    model = Model(*map(float, found))
    error = max(abs(model.seconds(one) / one.seconds - 1) for one in shapes)
    return Model(model.fixed, model.row, model.leaf, model.client, error)


def shapes_of(rows: int) -> list[Source]:
    """Sources that differ in one thing at a time."""
    clients = min(max(rows // 250, 200), MOST_CLIENTS)
    return [
        Source(rows // 10, clients=clients),
        Source(rows // 3, clients=clients),
        Source(rows, clients=clients),
        Source(rows, months=6, clients=clients),
        Source(rows // 3, months=60, clients=clients),
        Source(rows, clients=5 * clients),
    ]


def _measure(server: Server, sources: Sequence[Source], rounds: int) -> list[Shape]:
    told: dict[str, list[dict[str, Any]]] = {}
    by_name = {f"{spoken(source.rows)} {source}": source for source in sources}
    for number in range(rounds):
        for name in alternating(list(by_name), number):
            folder = by_name[name].folder(server.folder)
            summary = THIS.load(server.fresh("bench_load"), folder)
            told.setdefault(name, []).append(summary)
            print(f"round {number + 1}: {summary['wall']:8.2f} s  {name}", flush=True)
    return [_shape(by_name[name], summaries) for name, summaries in told.items()]


def _shape(source: Source, told: Sequence[dict[str, Any]]) -> Shape:
    leaves = len(told[0]["leaves"])
    return Shape(source.rows, leaves, source.plan.client_count, median(one["wall"] for one in told))


def _print(model: Model, shapes: Sequence[Shape]) -> None:
    print(f"\n{'rows':>14}{'leaves':>8}{'clients':>9}{'measured':>12}{'model':>12}")
    for one in shapes:
        print(f"{one.rows:14,}{one.leaves:8}{one.clients:9,}{one.seconds:10.2f} s{model.seconds(one):10.2f} s")
    print(
        f"\nfixed {model.fixed:.2f} s, {model.row * 1e6:.2f} us a row, {model.leaf * 1e3:.1f} ms a leaf,"
        f" {model.client * 1e6:.1f} us a client; largest error {model.error:.0%}"
    )
    for text in FORESEEN:
        rows = rows_of(text)
        one = Shape(rows, max(1, rows // ROWS_A_LEAF), MOST_CLIENTS)
        print(f"  foreseen for {rows:>14,} rows, {one.leaves:5,} leaves: {model.seconds(one):10,.0f} s")


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(prog="just bench-scale", description=__doc__)
    parser.add_argument(
        "--rows", type=rows_of, default=rows_of("3m"), help="rows of the largest: 300k, 3m, 36m or a number"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with running_server() as server:
        print(f"on {describe(server.version)}")
        shapes = _measure(server, shapes_of(options.rows), options.rounds)
        server.drop("bench_load")
    _print(fit(shapes), shapes)


if __name__ == "__main__":
    main()
