"""The file of an archive: Parquet, written once, complete or not there at all, and read back."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import CauriError, ConfigurationError, TransientTargetError
from warehouse.stream import Stream

MIB = 1024 * 1024

# Zstandard's default.
_LEVEL = 3

# What is decoded at a time, in rows and in bytes; while it is hashed it takes ten times that.
_ROWS_READ = 16_384
_BYTES_READ = 4 * MIB

# Files of facts take a fifth of their table. With less room than half of that we do not begin.
_LEAST_SHARE = 0.1

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK = 4 * MIB


def least_room(table_bytes: int) -> int:
    """Bytes that a file for a table of this size takes at least."""
    return int(table_bytes * _LEAST_SHARE)


def require_room(folder: Path, needed: int) -> None:
    """Make the folder, readable by its owner only, and refuse to begin a file that will not fit.

    Raises:
        TransientTargetError: the disk has fewer than `needed` bytes.
        ConfigurationError: the folder cannot be made.
    """
    with disk_errors_translated(folder, needed):
        for path in (folder.parent, folder):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(folder).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left under temporary names."""
    with disk_errors_translated(folder, 0):
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


@contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; at the end of the block it is on the disk and takes the name.

    If the block fails nothing is left; a killed run leaves the temporary file to `remove_leftovers`.
    """
    aside = path.with_name(f".{path.name}.tmp")
    try:
        yield aside
        _sync(aside)
        aside.replace(path)
        _sync(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_rows(path: Path, batches: Stream) -> None:
    """Write a stream to a Parquet file that only we can read, one row group a batch."""
    # The driver's notes on its types are of no use to readers.
    schema = pa.schema([pa.field(field.name, field.type) for field in batches.schema])
    options: dict[str, Any] = {"compression": "zstd", "compression_level": _LEVEL, "write_page_checksum": True}
    with private_file(path) as stream, pq.ParquetWriter(stream, schema, **options) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema), row_group_size=batch.num_rows)


def read_rows(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a file, in its order, some at a time."""
    with pq.ParquetFile(path) as file:
        # One row group and one thread after the other: otherwise pyarrow reads ahead, without a bound.
        for group in range(file.num_row_groups):
            about = file.metadata.row_group(group)
            rows = max(1, min(_ROWS_READ, _BYTES_READ * about.num_rows // max(1, about.total_byte_size)))
            for batch in file.iter_batches(rows, row_groups=[group], use_threads=False):
                yield cast(pl.DataFrame, pl.from_arrow(batch))


def private_file(path: Path) -> IO[bytes]:
    """A new file that only its owner can read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def disk_errors_translated(folder: Path, needed: int) -> Iterator[None]:
    """Turn errors of the archive's disk into Cauri's. `needed` is an estimate in bytes."""
    try:
        yield
    except OSError as exc:
        raise _translated(exc, folder, needed) from exc


def _translated(exc: OSError, folder: Path, needed: int) -> CauriError:
    if exc.errno in _FULL:
        free = shutil.disk_usage(_existing(folder)).free
        return TransientTargetError(
            f"no room for the archive in {folder}: {free / MIB:,.1f} MiB free, about {needed / MIB:,.1f} MiB needed"
            f" ({exc.strerror})",
            remedy="free space there, or set CAURI_ARCHIVE to a folder on another disk; nothing was changed",
            folder=str(folder),
            free_bytes=free,
            needed_bytes=needed,
        )
    return ConfigurationError(
        f"the archive folder {folder} cannot be used: {exc.strerror or type(exc).__name__}",
        remedy="set CAURI_ARCHIVE to a folder that this account may write to; nothing was changed",
        folder=str(folder),
    )


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
