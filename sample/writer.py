"""Files of any dialect from text columns and prepared lines."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa

from sample.dialect import Dialect, Form
from sample.text import PLACEHOLDER

Slices = Iterable[tuple[pl.DataFrame, list[bytes]]]
# Rows handed to Polars' writer as one batch; its default of 1024 costs a third of the speed.
WRITER_BATCH = 16_384
# The fastest: at pyarrow's level of 9 a million rows took 12.8 s instead of 4.
GZIP_LEVEL = 1
MARK = PLACEHOLDER.encode()


def write_lines(path: Path, slices: Slices, form: Form) -> None:
    """Write text frames of equal columns one after the other.

    Each row whose first field is the placeholder becomes the next of the slice's prepared lines.
    """
    dialect = form.dialect
    with _opened(path, form) as file:
        file.write(dialect.bom)
        heading = True
        for frame, prepared in slices:
            if heading:
                names = [dialect.heading(name) for name in frame.columns]
                file.write(f"{dialect.separator.join(names)}\n".encode(dialect.encoding))
            heading = False
            buffer = io.BytesIO()
            frame.write_csv(
                buffer,
                include_header=False,
                separator=dialect.separator,
                quote_style="never",
                batch_size=WRITER_BATCH,
            )
            file.write(_with_prepared(_encoded(buffer.getbuffer(), dialect), prepared, dialect))


def write_table(path: Path, frame: pl.DataFrame, form: Form) -> None:
    named = frame.rename({name: form.dialect.heading(name) for name in frame.columns})
    packing = "snappy" if form.packing == "none" else form.packing
    named.write_parquet(path, compression=packing)


@contextmanager
def _opened(path: Path, form: Form) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        if form.packing == "none":
            yield file
            return
        packed = (
            gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0)
            if form.packing == "gzip"
            else pa.CompressedOutputStream(file, form.packing)
        )
        with packed:
            yield cast("BinaryIO", packed)


def _encoded(text: memoryview, dialect: Dialect) -> bytes | memoryview:
    if dialect.encoding == "utf-8":
        return text
    data = bytes(text)
    if dialect.encoding == "cp1252" and data.isascii():
        return data
    return data.decode().encode(dialect.encoding)


def _with_prepared(text: bytes | memoryview, prepared: list[bytes], dialect: Dialect) -> bytes | memoryview:
    if not prepared:
        return text
    mark, line_end = MARK.decode().encode(dialect.encoding), "\n".encode(dialect.encoding)
    before, *after = bytes(text).split(mark)
    parts = [before]
    for line, rest in zip(prepared, after, strict=True):
        parts += [line, rest[rest.index(line_end) :]]
    return b"".join(parts)
