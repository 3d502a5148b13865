"""Where a run keeps shards and snapshots while it lasts."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from engine.slices import SHELF
from warehouse.errors import TransientTargetError
from warehouse.settings import Settings, unusable_home

# That there is no folder to write into, as against a disk that is full.
_NO_PLACE = (PermissionError, FileExistsError, FileNotFoundError, NotADirectoryError)


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A folder of this process for shards and snapshots, gone afterwards, as are those that killed runs left.

    Raises:
        ConfigurationError: nothing can be written there.
        TransientTargetError: what it lies on is full.
    """
    parent = settings.home_path / "work"
    with _space_needed(parent), _own_folder(parent) as folder:
        yield folder


@contextmanager
def _space_needed(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        # Polars says it in words only.
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT) and "No space left" not in str(exc):
            raise
        raise TransientTargetError(
            f"the disk of {place} is full",
            remedy="free space there or set CAURI_HOME to another disk, then run the same command again: what was"
            " committed is skipped",
        ) from exc


@contextmanager
def _own_folder(parent: Path) -> Iterator[Path]:
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(parent)
        # Never the same name twice: what was read from a snapshot is remembered under its path.
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
    except _NO_PLACE as exc:
        raise unusable_home(parent, exc) from None
    try:
        yield folder
    finally:
        SHELF.clear()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    me = str(os.getpid())
    for left in parent.iterdir():
        owner = left.name.partition("-")[0]
        # In a container the number of a killed run is soon that of the next.
        if owner == me or not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
