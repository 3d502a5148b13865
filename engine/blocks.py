"""Step 2, Read, first half: the bytes of a text file as blocks of clean UTF-8 lines.

What a CSV parser would refuse or silently repair (a field too many or too few, a line break or an open quote, bytes
that are no text) is cut out here: the line is replaced by a placeholder of empty fields whose last, extra field names
the fault, and its raw text is kept beside the block. A block without trouble passes through untouched.
"""

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.dialect import SAMPLE_BYTES, Dialect, detect, is_cp1252, is_utf8, other_lines
from engine.discover import SourceFile
from warehouse.errors import SourceError

# 8 MiB hold about 60,000 transactions: large enough that a block's fixed cost (some ms) vanishes, small enough that the
# blocks in flight stay below 300 MB with all their columns.
BLOCK_BYTES = 8 * 1024 * 1024

# A quoted field that is still open after this many lines was never meant to be open.
MAX_LINES_OF_RECORD = 20

# Marks a place where bytes were not text; the bytes follow in hexadecimal. `MARKED` is how decoders are told to.
BROKEN, MARKED = "\ufffd", "cauri_mark"

_NEWLINE, _QUOTE = b"\n", b'"'
_NO_DECODING = ("utf-8", "utf-8-sig")

# A mark in each of so many bytes: then no field has twice as many, a field may have 256 characters.
_WINDOW = 128
# So many bytes, and what is computed of them, stay in the processor's cache.
_LOOKED_OVER_AT_ONCE = 1024 * 1024

# Longer than nearly every line.
_TAIL_BYTES = 65_536


@dataclass(frozen=True)
class Piece:
    """Whole lines of a file as they were read, in UTF-8 or what claims to be. Lines count from 1 after the header."""

    first_line: int
    lines: int
    text: bytes


@dataclass(frozen=True)
class Block:
    """The records of a piece, one a line.

    `numbers` are their line numbers, None if they simply follow each other; `raw_lines` holds the text of irregular
    ones by line number; `broken` names the lines in which some bytes were no text. `is_even`: it has no quote and as
    many delimiters as its lines need, so that none has too few fields unless another has too many. `is_short`: no field
    comes near to being too long.
    """

    first_line: int
    data: bytes
    numbers: list[int] | None
    raw_lines: dict[int, str]
    broken: list[int]
    is_even: bool = False
    is_short: bool = False


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN + error.object[error.start : error.end].hex(), error.end


codecs.register_error(MARKED, _mark_broken)


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


def read_pieces(file: SourceFile, dialect: Dialect, piece_bytes: int = BLOCK_BYTES) -> Iterator[Piece]:
    """Pieces of a file in order, without its header.

    Raises:
        SourceError: the file is truncated or cannot be decompressed.
    """
    line = 1
    try:
        for text in _bodies(file, dialect, piece_bytes):
            lines = _count(text, _NEWLINE)
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
        yield next(records).partition(_NEWLINE)[2]
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
            yield text[:cut] if text.endswith(_NEWLINE) or not is_last else text + _NEWLINE
            place, length = place + cut, piece_bytes


def _to_end_of_line(descriptor: int, place: int, length: int) -> int:
    """Up to `length`, so that what is read from `place` ends with a line."""
    tail = os.pread(descriptor, min(length, _TAIL_BYTES), place + length - min(length, _TAIL_BYTES))
    return length - len(tail) + (tail.rfind(_NEWLINE) + 1 or len(tail))


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
        if _QUOTE in part or _QUOTE in rest:
            part, rest = rest + part, b""  # noqa: PLW2901 - a record may have begun before
        cut = _record_end(part)
        if cut:
            # One copy of the piece, where adding and slicing would make two.
            yield b"".join((rest, memoryview(part)[:cut]))
            rest = b""
        rest += part[cut:]
    if rest:
        yield rest if rest.endswith(_NEWLINE) else rest + _NEWLINE


def _record_end(text: bytes) -> int:
    """Where the last record that is surely whole ends."""
    last = cut = text.rfind(_NEWLINE) + 1
    if _QUOTE not in text:
        return last
    for _ in range(MAX_LINES_OF_RECORD):
        if text.count(_QUOTE, 0, cut) % 2 == 0:
            return cut
        cut = text.rfind(_NEWLINE, 0, cut - 1) + 1
    return last


def clean(piece: Piece, dialect: Dialect) -> Block:
    """The block of a piece: records that have as many fields as the header, and placeholders for the others.

    A block that `is_even` was not looked at line by line: if a parser finds a field too many in it, it has to be
    `repaired`.
    """
    text = _valid_text(piece.text, dialect)
    if b"\r" in text:
        text = text.replace(b"\r\n", _NEWLINE)
    is_even, is_short = _looked_over(text, dialect)
    block = Block(piece.first_line, text, None, {}, _broken_lines(text, piece.first_line), is_even, is_short)
    return block if is_even else repaired(block, dialect)


def _looked_over(text: bytes, dialect: Dialect) -> tuple[bool, bool]:
    """What a block `is_even` and `is_short` tell: marks are counted, which takes half of finding their places."""
    expected = len(dialect.header) - 1
    if not expected or _QUOTE in text:
        return False, False
    lines = delimiters = 0
    is_short = True
    octets = np.frombuffer(text, np.uint8)
    for start in range(0, len(octets), _LOOKED_OVER_AT_ONCE):
        part = octets[start : start + _LOOKED_OVER_AT_ONCE]
        marks = part == _NEWLINE[0]
        lines += int(np.count_nonzero(marks))
        others = part == ord(dialect.delimiter)
        delimiters += int(np.count_nonzero(others))
        marks |= others
        windows = marks[: len(marks) // _WINDOW * _WINDOW].view(np.uint64).reshape(-1, _WINDOW // 8)
        is_short = is_short and bool(windows.any(axis=1).all())
    return delimiters == lines * expected, is_short


def _valid_text(text: bytes, dialect: Dialect) -> bytes:
    text = _decoded(text, dialect)
    return text.replace(b"\x00", f"{BROKEN}00".encode()) if b"\x00" in text else text


def _decoded(text: bytes, dialect: Dialect) -> bytes:
    if text.isascii() or is_utf8(text):
        return text
    others = other_lines(text)
    encoding = "cp1252" if not dialect.is_told and is_cp1252(text, others) else "utf-8"
    parts, done = [], 0
    for _, start, end in others:
        parts += [text[done:start], text[start:end].decode(encoding, errors=MARKED).encode()]
        done = end
    return b"".join([*parts, text[done:]])


def _broken_lines(text: bytes, first_line: int) -> list[int]:
    if text.isascii():
        return []
    mark, line, counted, found = BROKEN.encode(), first_line, 0, []
    # A single byte, which 8 MiB are searched for in 0.1 ms; for all three it takes 5.5.
    place = text.find(mark[:1])
    while place >= 0:
        after = place + 1
        if text.startswith(mark, place):
            line += _count(text, _NEWLINE, counted, place)
            found.append(line)
            counted = after = text.find(_NEWLINE, place)
        place = text.find(mark[:1], after)
    return found


def _count(text: bytes, mark: bytes, start: int = 0, end: int | None = None) -> int:
    # bytes.count takes 5 times as long where the mark is frequent.
    return int(np.count_nonzero(np.frombuffer(text, np.uint8)[start:end] == mark[0]))


def _places(text: bytes, mark: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(text, np.uint8) == mark[0])


def lines_of(text: bytes, lines: Iterable[int]) -> bytes:
    """Some of its lines, counted from 0."""
    ends = _places(text, _NEWLINE)
    return b"".join(text[_start(ends, line) : _start(ends, line + 1)] for line in lines)


def repaired(block: Block, dialect: Dialect) -> Block:
    """The block with every irregular record replaced by a placeholder, and without its blank lines."""
    text, delimiter, expected = block.data, dialect.delimiter.encode(), len(dialect.header) - 1
    ends = _places(text, _NEWLINE)
    kept: list[bytes] = []
    numbers: list[int] = []
    raw_lines: dict[int, str] = {}
    done = 0  # lines before this one are dealt with
    for first in _suspects(text, ends, delimiter, expected):
        if first < done:
            continue  # it belongs to a record that began on a line before
        kept.append(text[_start(ends, done) : _start(ends, first)])
        numbers.extend(range(block.first_line + done, block.first_line + first))
        after = _record_after(text, ends, first, dialect.delimiter)
        record = text[_start(ends, first) : ends[after - 1]]
        done = after
        if not record.strip():
            continue
        number = block.first_line + first
        numbers.append(number)
        fault = _fault(record, dialect.delimiter, expected)
        if fault:
            raw_lines[number] = record.decode()
            record = delimiter * (expected + 1) + fault
        kept.append(record + _NEWLINE)
    kept.append(text[_start(ends, done) :])
    numbers.extend(range(block.first_line + done, block.first_line + len(ends)))
    return Block(block.first_line, b"".join(kept), numbers, raw_lines, block.broken)


def _start(ends: NDArray[np.int64], line: int) -> int:
    return int(ends[line - 1]) + 1 if line else 0


def _suspects(text: bytes, ends: NDArray[np.int64], delimiter: bytes, expected: int) -> list[int]:
    """Lines that have a wrong number of delimiters, or a quote, or nothing."""
    before = np.searchsorted(_places(text, delimiter), ends)
    wrong = np.diff(before, prepend=0) != expected
    wrong[np.searchsorted(ends, _places(text, _QUOTE))] = True
    wrong |= np.diff(ends, prepend=-1) == 1
    return [int(line) for line in np.flatnonzero(wrong)]


def _record_after(text: bytes, ends: NDArray[np.int64], first: int, delimiter: str) -> int:
    """Line after the one that closes the quote opened in line `first`; the next line if no quote is open or closed."""
    if not _opens_quote(text[_start(ends, first) : int(ends[first])], delimiter):
        return first + 1
    quotes = 0
    for line in range(first, min(first + MAX_LINES_OF_RECORD, len(ends))):
        quotes += text.count(_QUOTE, _start(ends, line), int(ends[line]))
        if quotes % 2 == 0:
            return line + 1
    return first + 1


@cache
def _quoted_fields(delimiter: str) -> re.Pattern[bytes]:
    mark = re.escape(delimiter.encode())
    return re.compile(rb'(?:(?<=%b)|\A)"[^"]*(?:""[^"]*)*"(?=%b|\Z)' % (mark, mark))


def _opens_quote(record: bytes, delimiter: str) -> bool:
    """Whether a field begins with a quote and does not end with one."""
    rest = _quoted_fields(delimiter).sub(b"", record)
    return rest.startswith(_QUOTE) or delimiter.encode() + _QUOTE in rest


def _fault(record: bytes, delimiter: str, expected: int) -> bytes:
    if _NEWLINE in record:
        return b"line_break"
    # An odd quote within a field would make the parser run on into the next lines.
    if record.count(_QUOTE) % 2 or _opens_quote(record, delimiter):
        return b"unclosed_quote"
    found = _quoted_fields(delimiter).sub(b"", record).count(delimiter.encode())
    if found == expected:
        return b""
    return b"too_many_fields" if found > expected else b"too_few_fields"
