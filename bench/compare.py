"""This tree against another revision: loads of the same files on the same server, in turns.

`python -m bench.compare REV --rows 3m --rounds 5`. The other tree is checked out below `.cauri-bench` and has an
environment of its own. Above 1 this tree is faster; if the spread holds 1, nothing was shown.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from bench.machine import describe
from bench.ratios import Spread, alternating, rates, ratios, spread
from bench.server import Server, running_server
from bench.sizes import rows_of
from bench.sources import Source
from bench.trees import Tree, this_tree, tree_of

# Shorter steps are noise.
SHORTEST_SECONDS = 0.05
Summary = dict[str, Any]


def main() -> None:
    """Measure and print."""
    options = _options()
    trees = {"this": this_tree(), "other": tree_of(options.revision)}
    with running_server() as server:
        source = Source(options.rows, options.format, dirty=options.dirty)
        told = _measure(server, trees, source, options.rounds)
        print(f"\n{source} of {options.rows:,} rows, {options.rounds} rounds, on {describe(server.version)}")
        server.drop("bench_load")
    _print(told["this"], told["other"], trees["other"].name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench-compare", description=__doc__)
    parser.add_argument("revision", help="commit, branch or tag")
    parser.add_argument("--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m, 36m or a number")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--dirty", type=float, default=0.0, help="share of bad rows")
    return parser.parse_args()


def _measure(server: Server, trees: dict[str, Tree], source: Source, rounds: int) -> dict[str, list[Summary]]:
    told: dict[str, list[Summary]] = defaultdict(list)
    folder = source.folder(server.folder)
    # The first load of a tree reads programs and files from the disk: it is not measured.
    for number in range(-1, rounds):
        for name in alternating(list(trees), number):
            summary = trees[name].load(server.fresh("bench_load"), folder)
            if number >= 0:
                told[name].append(summary)
        if number >= 0:
            this, other = (told[name][-1]["wall"] for name in trees)
            print(f"round {number + 1}: this {this:.2f} s, other {other:.2f} s, ratio {other / this:.3f}", flush=True)
    return told


def _print(this: Sequence[Summary], other: Sequence[Summary], name: str) -> None:
    rows = this[0]["rows"]["read"]
    for label, told in (("this tree", this), (name, other)):
        walls = [one["wall"] for one in told]
        print(f"{label:<14} {spread(walls):.2f} s, {rates(rows, walls).median:,.0f} rows/s")
    for step, ratio in step_ratios(this, other).items():
        print(f"  {step:<26}{ratio:.3f}")
    print(f"{'ratio':<14} {ratios([one['wall'] for one in this], [one['wall'] for one in other]):.3f}")


def step_ratios(this: Sequence[Summary], other: Sequence[Summary]) -> dict[str, Spread]:
    """The ratio of each step that takes both trees long enough, by number and name."""
    names = {step["step"]: step["name"] for summary in (*this, *other) for step in summary["steps"]}
    found = {}
    for number, name in sorted(names.items()):
        ours, theirs = ([_seconds(summary, number) for summary in side] for side in (this, other))
        if min(*ours, *theirs) >= SHORTEST_SECONDS:
            found[f"{number} {name}"] = ratios(ours, theirs)
    return found


def _seconds(summary: Summary, number: int) -> float:
    return sum(float(step["seconds"]) for step in summary["steps"] if step["step"] == number)


if __name__ == "__main__":
    main()
