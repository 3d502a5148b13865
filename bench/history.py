"""What pytest-benchmark has kept: runs, their commits and machines, and the figures of each benchmark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_benchmark.logger import Logger
from pytest_benchmark.storage.file import FileStorage


@dataclass(frozen=True)
class Result:
    """One benchmark of one run; seconds are those of a round."""

    name: str
    group: str
    commit: str
    at: str
    machine: str
    rows: int
    median: float
    low: float
    high: float
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.median


def read_history(folder: Path) -> list[Result]:
    """All results below a folder, the oldest first.

    Raises:
        SystemExit: there is none.
    """
    runs = [run for _, run in FileStorage(folder, Logger(Logger.QUIET)).load()] if folder.is_dir() else []
    found = results(runs)
    if not found:
        raise SystemExit(f"error: {folder} holds no results: run `just bench` first")
    return found


def results(runs: Iterable[dict[str, Any]]) -> list[Result]:
    """The results of runs as pytest-benchmark writes them, the oldest first; those without rows are left out."""
    found = [_result(run, one) for run in runs for one in run["benchmarks"] if one["extra_info"].get("rows")]
    return sorted(found, key=lambda result: result.at)


def latest(found: Sequence[Result]) -> list[Result]:
    """The newest result of each benchmark and number of rows, on the machine of the newest of all."""
    machine = found[-1].machine
    newest = {(one.name, one.rows, one.extra.get("into_rows")): one for one in found if one.machine == machine}
    return list(newest.values())


def _result(run: dict[str, Any], one: dict[str, Any]) -> Result:
    info, commit, stats = run["machine_info"], run["commit_info"], one["stats"]
    return Result(
        name=one["name"].removeprefix("test_"),
        group=one["group"] or "",
        commit=str(commit.get("id") or "unknown")[:8] + ("+" if commit.get("dirty") else ""),
        at=run["datetime"],
        machine=f"{info.get('cores', '?')} x {info.get('processor_name') or info.get('machine', '?')}",
        rows=one["extra_info"]["rows"],
        median=stats["median"],
        low=stats["min"],
        high=stats["max"],
        extra=one["extra_info"],
    )
