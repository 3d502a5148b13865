"""The processes that build leaves, and what memory they and we take."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

import psutil

SAMPLE_SECONDS = 0.1


@contextmanager
def leaf_executor(workers: int) -> Iterator[Executor]:
    """Processes with one Polars thread each: the leaves are the parallelism. Spawned, since Polars forbids fork."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_warm_up)
        with pool:
            # The processes start with the first task; from here on they inherit the variable.
            for future in [pool.submit(os.getpid) for _ in range(workers)]:
                future.result()
            _restore(before)
            yield pool
    finally:
        _restore(before)


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop("POLARS_MAX_THREADS", None)
    else:
        os.environ["POLARS_MAX_THREADS"] = before


def _warm_up() -> None:
    import engine.leaves  # noqa: F401, PLC0415 - the imports take half a second that the first leaf should not wait for


class MemoryGauge:
    """Peak of the resident memory of this process and its children together, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "MemoryGauge":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(SAMPLE_SECONDS):
            resident = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    resident += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, resident)
