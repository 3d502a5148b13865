"""A day into 36 million rows against the same day into 3.6 million: cost follows the batch, not the warehouse.

Both warehouses, of the same 24 months, stand on one server and are kept in `--folder` from one run to the next; each
run works on fresh copies of them. `python -m bench.nightly --rounds 5`
"""

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.days import Days
from bench.server import Server, running_server, with_name
from bench.trees import THIS
from sample.generate import generate
from sample.plan import SamplePlan
from warehouse.connection import connect, sql

Summary = dict[str, Any]


@dataclass(frozen=True)
class Warehouse:
    """A database filled with a sample, kept as it is; `copy` is what a run works on."""

    server: Server
    rows: int

    @property
    def name(self) -> str:
        return f"nightly_{self.rows}"

    @property
    def copy(self) -> str:
        return f"{self.name}_copy"

    def load(self, day: Path) -> Summary:
        """Bring a day into the copy."""
        with connect(self.server.url) as connection:
            # What one day left to be written is no part of the next one.
            connection.execute("CHECKPOINT")
        return THIS.timed(with_name(self.server.url, self.copy), "nightly", day, "--settle", "0", "--quiet")

    def prepare(self) -> None:
        """Make the database, if it is not there, and a fresh copy of it."""
        with connect(self.server.url) as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE datistemplate").fetchall()
        if (self.name,) not in names:
            self._make()
        # What was kept may lack the newest migrations.
        THIS.init(with_name(self.server.url, self.name))
        self.server.fresh(self.copy, template=self.name)

    def _make(self) -> None:
        source = self.server.folder / f"source_{self.rows}"
        shutil.rmtree(source, ignore_errors=True)
        print(f"making a warehouse of {self.rows:,} rows", flush=True)
        generate(SamplePlan(self.rows), source)
        url = self.server.fresh(self.name)
        THIS.load(url, source)
        shutil.rmtree(source)
        with connect(url) as connection:
            # As weeks later: no vacuum of what the load brought falls into a measured day.
            connection.execute("VACUUM (FREEZE, ANALYZE)")
        with connect(self.server.url) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(self.name)))


def main() -> None:
    """Measure; print seconds by step, their ratio, and what a day of trouble takes."""
    options = _options()
    with running_server(options.folder) as server:
        warehouses = [Warehouse(server, rows) for rows in (options.rows, options.rows * options.times)]
        for warehouse in warehouses:
            warehouse.prepare()
        _measure(warehouses, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_600_000, help="rows of the smaller warehouse")
    parser.add_argument("--times", type=int, default=10, help="how much more the larger one has")
    parser.add_argument("--rounds", type=int, default=5, help="plain days")
    parser.add_argument("--troubled", type=int, default=2, help="days of trouble after them")
    parser.add_argument("--folder", type=Path, default=Path(".cauri-bench"), help="where both are kept: 30 GB")
    return parser.parse_args()


def _measure(warehouses: list[Warehouse], options: argparse.Namespace) -> None:
    # The first day makes the leaf of its month, and warms up: it is not measured.
    troubled = [False] * (1 + options.rounds) + [True] * options.troubled
    clients = SamplePlan(options.rows).client_count
    folders = Days(options.folder.resolve() / "days", clients).prepare(troubled)
    plain: list[list[Summary]] = []
    trouble: list[list[Summary]] = []
    for number, folder in enumerate(folders):
        # In turns one goes first, then the other.
        order = warehouses if number % 2 else warehouses[::-1]
        loads = {warehouse: warehouse.load(folder) for warehouse in order}
        pair = [loads[warehouse] for warehouse in warehouses]
        if number:
            (trouble if troubled[number] else plain).append(pair)
            small, large = (load["wall"] for load in pair)
            print(f"{folder.name}: {small:.2f} s, {large:.2f} s, ratio {large / small:.3f}", flush=True)
    _print_table(warehouses, "plain day", plain)
    if trouble:
        _print_table(warehouses, "day of trouble", trouble)
        _print_multiples(warehouses, plain, trouble)


def _print_table(warehouses: list[Warehouse], title: str, pairs: list[list[Summary]]) -> None:
    print(f"\n{title:<26}" + "".join(f"{f'into {warehouse.rows:,}':>18}" for warehouse in warehouses) + "   ratio")
    steps = {step["step"]: step["name"] for pair in pairs for load in pair for step in load["steps"]}
    for number, name in sorted(steps.items()):
        _print_line(f"  {number} {name}", [[_seconds(load, number) for load in pair] for pair in pairs])
    _print_line("  the whole command", [[load["wall"] for load in pair] for pair in pairs])
    ratios = [large["wall"] / small["wall"] for small, large in pairs]
    print(f"  ratio: {median(ratios):.3f} median, {min(ratios):.3f} to {max(ratios):.3f}")


def _print_line(name: str, pairs: list[list[float]]) -> None:
    small, large = (median(side) for side in zip(*pairs, strict=True))
    ratio = f"{large / small:8.2f}" if small >= 0.05 else ""
    print(f"{name:<26}{small:16.2f} s{large:16.2f} s{ratio}")


def _seconds(load: Summary, number: int) -> float:
    return float(sum(step["seconds"] for step in load["steps"] if step["step"] == number))


def _print_multiples(warehouses: list[Warehouse], plain: list[list[Summary]], trouble: list[list[Summary]]) -> None:
    print("\na day with 1 % late rows over 24 months and 500 late client changes, against a plain day")
    for place, warehouse in enumerate(warehouses):
        usual = median(pair[place]["wall"] for pair in plain)
        multiples = [pair[place]["wall"] / usual for pair in trouble]
        restated = median(pair[place]["restated_facts"] for pair in trouble)
        spread = f"{min(multiples):.2f} to {max(multiples):.2f}"
        print(f"  into {warehouse.rows:>11,}: {median(multiples):.2f} times, {spread}; {restated:,.0f} facts restated")


if __name__ == "__main__":
    main()
