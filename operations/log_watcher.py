"""A watcher who writes the steps of a load into the log."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from engine.discover import SourceFile
from engine.steps import STEPS
from operations import logs

log = logging.getLogger("cauri.load")


class LogWatcher:
    """A line when the run is opened, when a step ends, and for each message; none for a piece or a row."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = defaultdict(int)

    def begin(self, step: int, name: str, total: int | None) -> None:
        """A step begins."""
        self._counts[step] = 0
        logs.bind(step=step)
        log.debug("step begins", extra={"name_of_step": name, "total": total})

    def advance(self, step: int, amount: int) -> None:
        """Rows or leaves went through."""
        self._counts[step] += amount

    def end(self, step: int, seconds: float) -> None:
        """A step ended."""
        count = {2: "rows", 6: "leaves"}.get(step)
        counted = {count: self._counts[step]} if count else {}
        # A step that happened within another ends after it.
        logs.bind(step=step)
        log.info("step done", extra={"name_of_step": STEPS[step], "seconds": round(seconds, 3), **counted})

    def opened(self, run_id: int, files: Sequence[SourceFile]) -> None:
        """The run has its number."""
        logs.bind(run=run_id)
        size = sum(file.size_bytes for file in files)
        log.info("run opened", extra={"files": len(files), "bytes": size})

    def say(self, message: str) -> None:
        """A line for the person."""
        log.info(message)
