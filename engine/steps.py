"""The numbered steps of a load: the same in code, logs, progress and docs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from engine.discover import SourceFile

STEPS = {
    1: "Discover",
    2: "Read",
    3: "Check",
    4: "Dimensions",
    5: "Plan leaves",
    6: "Load leaves",
    7: "Attach",
    8: "Aggregate",
    9: "Reconcile and close",
    10: "Maintain partitions",
}


class Watcher(Protocol):
    """Who looks on while a load runs."""

    def begin(self, step: int, name: str, total: int | None) -> None:
        """A step begins; `total` is what `advance` will sum up to, if it is known."""

    def advance(self, step: int, amount: int) -> None:
        """Rows, or leaves, went through a step."""

    def end(self, step: int, seconds: float) -> None:
        """A step ended."""

    def say(self, message: str) -> None:
        """Something that a person should know."""

    def opened(self, run_id: int, files: "Sequence[SourceFile]") -> None:
        """The run has its number, and these files are its work."""


class Stopwatch:
    """Seconds of each step; a step may run in several stretches, and within another."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._seconds: dict[int, float] = {}
        self._lent: dict[int, float] = {}
        self._running: tuple[int, float] | None = None
        self._started = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._started

    @contextmanager
    def step(self, number: int, total: int | None = None) -> Iterator[None]:
        """Time a step, without what it lends to others."""
        self._lent = {}
        self._watcher.begin(number, STEPS[number], total)
        started = time.perf_counter()
        self._running = (number, started)
        yield
        self._running = None
        self._end(number, time.perf_counter() - started - sum(self._lent.values()))
        for inner, seconds in self._lent.items():
            self._watcher.begin(inner, STEPS[inner], None)
            self._end(inner, seconds)

    def _end(self, number: int, seconds: float) -> None:
        self._seconds[number] = self._seconds.get(number, 0.0) + seconds
        self._watcher.end(number, seconds)

    def lend(self, inner: int, seconds: float) -> None:
        """Account seconds of the running step to another one that happened within it."""
        self._lent[inner] = self._lent.get(inner, 0.0) + seconds

    @contextmanager
    def within(self, inner: int) -> Iterator[None]:
        """Time a stretch of another step within the running one."""
        started = time.perf_counter()
        yield
        self.lend(inner, time.perf_counter() - started)

    def as_list(self) -> list[dict[str, Any]]:
        """The steps so far, in their order; the running one with its seconds until now."""
        seconds = dict(self._seconds)
        if self._running:
            number, started = self._running
            seconds[number] = time.perf_counter() - started
        return [{"step": step, "name": STEPS[step], "seconds": round(seconds[step], 3)} for step in sorted(seconds)]
