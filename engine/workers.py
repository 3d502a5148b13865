"""Who builds leaves, and what memory we take."""

import resource
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from warehouse.pool import Pool

# Those on which leaves are built; one for the process, as tasks find it wherever they run.
CONNECTIONS = Pool()


@contextmanager
def leaf_executor(workers: int) -> Iterator[Executor]:
    """Threads on this machine: Polars, the encoder and the socket all work without Python's lock.

    Two a worker, for one of them waits for PostgreSQL or for its commit to reach the disk: 24 leaves on 2 cores took
    8.2 s with 2 threads, 5.7 s with 3, 5.1 s with 4 and no less with 6. Processes took the same time and 400 MiB more.
    A leaf task holds paths only, so that another executor, such as Dask's, can take the place of this one.
    """
    executor = ThreadPoolExecutor(2 * workers, thread_name_prefix="leaf")
    try:
        yield executor
    finally:
        # After a failure nobody waits for the leaves that have not begun.
        executor.shutdown(cancel_futures=True)
        CONNECTIONS.close()


def peak_memory() -> int:
    """Peak of the resident memory of this process until now, in bytes.

    Kept by the kernel: looking ten times a second at the processes below this one took 2.7 s of a load of 20 s.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        # In KiB, but on macOS in bytes. On Linux it would also count what ran here before this program.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
