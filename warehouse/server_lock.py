"""One process at a time: a lock on a file, released by the kernel however its holder ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import TransientTargetError

_RETRY_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock file `path` for the block.

    Raises:
        TransientTargetError: another process held it for `timeout` seconds.
    """
    # Never removed: a waiter could lock the old file while the next comer locks a new one.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _wait(descriptor, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransientTargetError(
                    f"another process has been holding {path} for too long",
                    remedy="wait for the other `cauri` command to end, then call again",
                    path=str(path),
                ) from None
        time.sleep(_RETRY_SECONDS)
