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
    """Processes with one Polars thread each: the leaves are the parallelism. Spawned, since Polars forbids fork.

    They start at once and import what they need while the caller goes on.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare) as pool:
        for _ in range(workers):
            pool.submit(os.getpid)
        yield pool


def _prepare() -> None:
    # Read by Polars at its import, which is why it happens here and not at the top.
    os.environ["POLARS_MAX_THREADS"] = "1"
    import engine.leaves  # noqa: F401, PLC0415


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
