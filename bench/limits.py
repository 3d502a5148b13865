"""What no load can go below on this machine, and which share of that the load reaches, all in one run.

Each limit is one part of the work done alone, by as many threads or connections as there are cores: parse the files,
encode the rows, COPY them ready-made into tables without indexes, build the indexes. `python -m bench.limits --rows 3m`
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.bill import Item, bill_of, print_bill
from bench.meter import Meter
from bench.parts import Encoded, Frames, copy_all, encode_all, parse_all, read_leaves
from bench.peers.indexes import STREAMS, build_indexes
from bench.ratios import spread
from bench.server import Server, running_server, with_name
from bench.sizes import rows_of
from bench.sources import Source
from bench.trees import THIS


@dataclass(frozen=True)
class Limit:
    """Seconds on the wall, and core seconds of client and server."""

    name: str
    wall: float
    client: float
    server: float
    summed: bool = True
    """Whether it is part of the sum: copying in one stream is shown beside it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Limits:
    """Limits, the whole load, and where its core seconds went."""

    rows: int
    load: float
    limits: list[Limit]
    bill: list[Item]

    @property
    def sum(self) -> float:
        """Seconds that all parts take one after the other, each with the whole machine for itself."""
        return sum(limit.wall for limit in self.limits if limit.summed)

    @property
    def share(self) -> float:
        """Sum of the limits over the seconds of the load."""
        return self.sum / self.load

    @property
    def core_share(self) -> float:
        """The same by core seconds: what other programs do to the seconds on the wall is not in it."""
        whole = self.bill[-1]
        return sum(one.client + one.server for one in self.limits if one.summed) / (whole.client + whole.server)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "load": self.load,
            "sum": self.sum,
            "share": self.share,
            "core_share": self.core_share,
            "limits": [limit.to_json() for limit in self.limits],
            "bill": [item.to_json() for item in self.bill],
        }


def measure(server: Server, source: Source, rounds: int) -> Limits:
    """Load so many times, then measure each limit as many times, then draw up the bill; medians."""
    folder = source.folder(server.folder)
    loads = [THIS.load(server.fresh("bench_load"), folder) for _ in range(rounds)]
    url = server.fresh("bench_limits")
    THIS.init(url)
    frames = read_leaves(with_name(server.url, "bench_load"))
    rows = loads[-1]["feeds"]["transactions"]["read"]
    meter = Meter(server)
    measured = [list(_limits(meter, url, folder, frames, source.format)) for _ in range(rounds)]
    server.drop("bench_load", "bench_limits")
    limits = [_median(same) for same in zip(*measured, strict=True)]
    return Limits(rows, spread(load["wall"] for load in loads).median, limits, bill_of(server, folder))


def print_limits(found: Limits) -> None:
    """The limits, their sum against the load, and the bill."""
    print(f"{'limits':<42}{'wall':>8}{'client':>9}{'server':>9}{'us/row':>9}")
    for limit in found.limits:
        print(
            f"  {limit.name:<40}{limit.wall:8.2f}{limit.client:9.2f}{limit.server:9.2f}"
            f"{limit.wall / found.rows * 1e6:9.2f}{'' if limit.summed else '   not in the sum'}"
        )
    print(f"  {'sum':<40}{found.sum:8.2f}{'':18}{found.sum / found.rows * 1e6:9.2f}")
    print(f"  {'the whole load':<40}{found.load:8.2f}{'':18}{found.load / found.rows * 1e6:9.2f}")
    print(f"  the load reaches {found.share:.0%} of what the limits allow; by core seconds, {found.core_share:.0%}\n")
    print_bill(found.bill)


def _limits(meter: Meter, url: str, folder: Path, frames: Frames, form: str) -> Iterable[Limit]:
    encoded: Encoded = {}
    yield _timed(meter, f"parse {form}", lambda: parse_all(folder, form))
    yield _timed(meter, "encode", lambda: encoded.update(encode_all(frames)))
    yield _timed(meter, "COPY, 1 stream", lambda: copy_all(url, encoded, 1), summed=False)
    yield _timed(meter, f"COPY, {STREAMS} streams", lambda: copy_all(url, encoded, STREAMS))
    yield _timed(meter, "indexes", lambda: build_indexes(url, [("public", leaf) for leaf in frames]))


def _timed(meter: Meter, name: str, work: Callable[[], object], *, summed: bool = True) -> Limit:
    before = meter.read()
    work()
    spent = meter.read().since(before)
    return Limit(name, spent.wall, spent.client, spent.server, summed)


def _median(same: tuple[Limit, ...]) -> Limit:
    return sorted(same, key=lambda limit: limit.wall)[len(same) // 2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="just bench-limits", description=__doc__)
    parser.add_argument(
        "--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m or a number: the rows are held in memory"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    options = parser.parse_args()
    with running_server() as server:
        print_limits(measure(server, Source(options.rows, options.format), options.rounds))


if __name__ == "__main__":
    main()
