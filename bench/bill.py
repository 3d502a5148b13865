"""The bill of a load: of each numbered step the core seconds of client and server, what stayed idle, and memory.

`python -m bench.bill --rows 3m`. The load runs in this process, so that its clocks can be read between the steps.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.meter import Meter, Reading, forget_peak, peak_bytes
from bench.server import Server, running_server
from bench.sizes import rows_of
from bench.sources import Source
from engine.discover import SourceFile
from engine.load import Request, load
from warehouse.keyring import Keyring
from warehouse.machine import this_machine
from warehouse.migrations import migrate
from warehouse.settings import Settings

# Steps whose time is measured inside another one: their work is on its line.
WITHIN = {3: 2, 7: 6}
# A second line for what a step does in less is noise.
SHORTEST_SECONDS = 0.0005
KEYRING = Keyring(SecretStr("A" * 44), SecretStr("B" * 44))


@dataclass(frozen=True)
class Item:
    """One line of the bill: seconds on the wall, core seconds, and the client's peak memory in bytes."""

    step: str
    wall: float
    client: float
    server: float
    idle: float
    peak_bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Accountant:
    """A watcher that reads the clocks when a step begins and when it ends."""

    def __init__(self, meter: Meter, cores: int) -> None:
        self._meter, self._cores = meter, cores
        self._names: dict[int, str] = {}
        self._spent: dict[int, Reading] = {}
        self._peaks: dict[int, int] = {}
        self._last = meter.read()

    def begin(self, step: int, name: str, total: int | None) -> None:
        self._names[step] = name
        forget_peak()
        self._last = self._meter.read()

    def end(self, step: int, seconds: float) -> None:
        spent = self._meter.read().since(self._last)
        if step in WITHIN or spent.wall < SHORTEST_SECONDS:
            return
        before = self._spent.get(step, Reading(0, 0, 0))
        self._spent[step] = Reading(*(a + b for a, b in zip(_values(before), _values(spent), strict=True)))
        self._peaks[step] = max(self._peaks.get(step, 0), peak_bytes())

    def advance(self, step: int, amount: int) -> None: ...

    def say(self, message: str) -> None: ...

    def opened(self, run_id: int, files: Sequence[SourceFile]) -> None: ...

    def items(self) -> list[Item]:
        """The bill, in the order of the steps."""
        return [
            Item(self._label(step), *_values(spent), spent.idle(self._cores), self._peaks[step])
            for step, spent in sorted(self._spent.items())
        ]

    def _label(self, step: int) -> str:
        inner = [f"{one} {self._names[one]}" for one, outer in WITHIN.items() if outer == step and one in self._names]
        return ", ".join([f"{step} {self._names[step]}", *inner])


def bill_of(server: Server, source: Path) -> list[Item]:
    """Load a folder into a fresh database and account for it; the last item is the sum with what lies between steps."""
    url = server.fresh("bench_bill")
    migrate(url, holiday_countries=("CI", "SN", "GH", "KE", "MA"))
    settings = Settings(home=server.folder / "home-bill", database_url=SecretStr(url))
    meter, cores = Meter(server), this_machine().cores
    accountant = Accountant(meter, cores)
    before = meter.read()
    load(Request(source, url, settings, KEYRING), accountant)
    whole = meter.read().since(before)
    server.drop("bench_bill")
    items = accountant.items()
    return [*items, Item("all", *_values(whole), whole.idle(cores), max(item.peak_bytes for item in items))]


def print_bill(items: Sequence[Item]) -> None:
    """A line a step."""
    print(f"{'core seconds by step':<34}{'wall':>8}{'client':>9}{'server':>9}{'idle':>8}{'client peak':>14}")
    for item in items:
        print(
            f"  {item.step:<32}{item.wall:8.2f}{item.client:9.2f}{item.server:9.2f}{item.idle:8.2f}"
            f"{item.peak_bytes / 2**20:10,.0f} MiB"
        )


def _values(reading: Reading) -> tuple[float, float, float]:
    return reading.wall, reading.client, reading.server


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m, 36m or a number")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--dirty", type=float, default=0.0, help="share of bad rows")
    options = parser.parse_args()
    with running_server() as server:
        source = Source(options.rows, options.format, dirty=options.dirty)
        print_bill(bill_of(server, source.folder(server.folder)))


if __name__ == "__main__":
    main()
