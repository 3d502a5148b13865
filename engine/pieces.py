"""Step 2, Read, first: the bytes of a text file as pieces of whole lines."""

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from engine.dialect import SAMPLE_BYTES, Dialect, detect
from engine.discover import SourceFile
from engine.marks import MARKED, NEWLINE, QUOTE, count
from warehouse.errors import SourceError

# 8 MiB hold about 60,000 transactions: large enough that a block's fixed cost (some ms) vanishes, small enough that the
# blocks in flight stay below 300 MB with all their columns.
PIECE_BYTES = 8 * 1024 * 1024

# A quoted field that is still open after this many lines was never meant to be open.
MAX_LINES_OF_RECORD = 20

_NO_DECODING = ("utf-8", "utf-8-sig")

# Longer than nearly every line.
_TAIL_BYTES = 65_536


@dataclass(frozen=True)
class Piece:
    """Whole lines of a file as they were read, in UTF-8 or what claims to be. Lines count from 1 after the header."""

    first_line: int
    lines: int
    text: bytes


def open_bytes(file: SourceFile) -> IO[bytes]:
    """The decompressed bytes of a file."""
    return cast(IO[bytes], pa.input_stream(str(file.path), compression="detect"))


def read_dialect(file: SourceFile) -> Dialect:
    """The dialect of a file.

    Raises:
        SourceError: the file is empty, damaged, or has no usable header.
    """
    try:
        with open_bytes(file) as stream:
            return detect(file, stream.read(SAMPLE_BYTES))
    except OSError as exc:
        raise _damaged(file, exc) from None


def _damaged(file: SourceFile, exc: OSError) -> SourceError:
    return SourceError(
        f"{file.name} is damaged: {exc}",
        remedy="copy or export the file again; nothing of it was loaded",
        file=file.name,
    )


def read_pieces(file: SourceFile, dialect: Dialect, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """Pieces of a file in order, without its header.

    Raises:
        SourceError: the file is truncated or cannot be decompressed.
    """
    line = 1
    try:
        for text in _bodies(file, dialect, piece_bytes):
            lines = count(text, NEWLINE)
            yield Piece(line, lines, text)
            line += lines
    except OSError as exc:
        raise _damaged(file, exc) from None


def _bodies(file: SourceFile, dialect: Dialect, piece_bytes: int) -> Iterator[bytes]:
    if file.path is not None and not file.is_compressed and dialect.encoding in _NO_DECODING:
        yield from _read_in_place(file.path, piece_bytes)
        return
    with open_bytes(file) as stream:
        records = _whole_records(_utf8(stream, dialect, piece_bytes))
        yield next(records).partition(NEWLINE)[2]
        yield from records


def _read_in_place(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """Whole records of a file as it lies on the disk, each copied once: a second copy of pieces this large costs
    as much as splitting them into lines.
    """
    with path.open("rb") as stream:
        place, size = len(stream.readline()), os.fstat(stream.fileno()).st_size
        length = piece_bytes
        if place >= size:
            yield b""
        while place < size:
            text = os.pread(stream.fileno(), _to_end_of_line(stream.fileno(), place, length), place)
            if not text:
                raise OSError("it became shorter while it was read")
            is_last = place + len(text) >= size
            cut = len(text) if is_last else _record_end(text)
            if not cut:
                length += piece_bytes  # a record longer than a piece
                continue
            yield text[:cut] if text.endswith(NEWLINE) or not is_last else text + NEWLINE
            place, length = place + cut, piece_bytes


def _to_end_of_line(descriptor: int, place: int, length: int) -> int:
    """Up to `length`, so that what is read from `place` ends with a line."""
    tail = os.pread(descriptor, min(length, _TAIL_BYTES), place + length - min(length, _TAIL_BYTES))
    return length - len(tail) + (tail.rfind(NEWLINE) + 1 or len(tail))


def _utf8(stream: IO[bytes], dialect: Dialect, piece_bytes: int) -> Iterator[bytes]:
    if dialect.encoding in _NO_DECODING:
        if dialect.encoding == "utf-8-sig":
            stream.read(3)
        while part := stream.read(piece_bytes):
            yield part
        return
    decoder = codecs.getincrementaldecoder(dialect.encoding)(errors=MARKED)
    while part := stream.read(piece_bytes):
        yield decoder.decode(part).encode()
    yield decoder.decode(b"", final=True).encode()


def _whole_records(parts: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in parts:
        if QUOTE in part or QUOTE in rest:
            part, rest = rest + part, b""  # noqa: PLW2901 - a record may have begun before
        cut = _record_end(part)
        if cut:
            # One copy of the piece, where adding and slicing would make two.
            yield b"".join((rest, memoryview(part)[:cut]))
            rest = b""
        rest += part[cut:]
    if rest:
        yield rest if rest.endswith(NEWLINE) else rest + NEWLINE


def _record_end(text: bytes) -> int:
    """Where the last record that is surely whole ends."""
    last = cut = text.rfind(NEWLINE) + 1
    if QUOTE not in text:
        return last
    for _ in range(MAX_LINES_OF_RECORD):
        if text.count(QUOTE, 0, cut) % 2 == 0:
            return cut
        cut = text.rfind(NEWLINE, 0, cut - 1) + 1
    return last
