"""Who builds leaves, and what memory all of us take."""

import threading
from concurrent.futures import Executor, ThreadPoolExecutor

import psutil

SAMPLE_SECONDS = 0.1


def leaf_executor(workers: int) -> Executor:
    """Threads on this machine: Polars, the encoder and the socket all work without Python's lock.

    Processes took the same time and 400 MiB more. A leaf task holds paths only, so that another executor, such as
    Dask's, can take the place of this one.
    """
    return ThreadPoolExecutor(workers, thread_name_prefix="leaf")


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
