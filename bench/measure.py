"""One benchmark of a command: its rounds, and what its summaries say of the steps."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, TypeVar

from pytest_benchmark.fixture import BenchmarkFixture

Summary = dict[str, Any]
Given = TypeVar("Given")


def measure(
    benchmark: BenchmarkFixture, prepare: Callable[[], Given], work: Callable[[Given], Summary], rounds: int
) -> list[Summary]:
    """Do `work` on what `prepare` gives, so many times; only the work is timed. Returns what each round said."""
    told: list[Summary] = []

    def once(given: Given) -> None:
        told.append(work(given))

    benchmark.pedantic(once, setup=lambda: ((prepare(),), {}), rounds=rounds, iterations=1)
    return told


def keep(benchmark: BenchmarkFixture, rows: int, told: Sequence[Summary]) -> None:
    """Put rows, steps and memory of some runs beside the seconds."""
    benchmark.extra_info |= {
        "rows": rows,
        "steps": step_medians(told),
        "peak_rss_bytes": max((one.get("peak_rss_bytes", 0) for one in told), default=0),
    }


def step_medians(told: Sequence[Summary]) -> dict[str, float]:
    """Seconds of each numbered step, by number and name."""
    seconds: dict[tuple[int, str], list[float]] = defaultdict(list)
    for summary in told:
        for step in summary.get("steps", ()):
            seconds[step["step"], step["name"]].append(step["seconds"])
    return {f"{number} {name}": median(found) for (number, name), found in sorted(seconds.items())}
