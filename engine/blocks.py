"""Step 2, Read, first half: the bytes of a text file as blocks of clean UTF-8 lines.

What a CSV parser would refuse or silently repair (a field too many or too few, a line break or an open quote, bytes that
are no text) is cut out here: the line is replaced by a placeholder of empty fields whose last, extra field names the fault,
and its raw text is kept beside the block. A block without trouble passes through untouched.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

import pyarrow as pa

from engine.dialect import SAMPLE_BYTES, Dialect, detect, is_cp1252
from engine.discover import SourceFile
from warehouse.errors import SourceError

# 8 MiB hold about 60,000 transactions: large enough that a block's fixed cost (some ms) vanishes, small enough that the
# blocks in flight stay below 300 MB with all their columns.
BLOCK_BYTES = 8 * 1024 * 1024

# A quoted field that is still open after this many lines was never meant to be open.
MAX_LINES_OF_RECORD = 20

# Marks a place where bytes were not text; the bytes follow in hexadecimal.
BROKEN = "\ufffd"

_QUOTED = re.compile(rb'"[^"]*"')


@dataclass(frozen=True)
class Block:
    """Lines of one file. `raw_lines` holds the text of the irregular ones by row number (from 1, header not
    counted); `broken` tells that some bytes were no text."""

    first_row: int
    rows: int
    data: bytes
    raw_lines: dict[int, str]
    broken: bool


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN + error.object[error.start : error.end].hex(), error.end


codecs.register_error("cauri_mark", _mark_broken)


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
        f"{file.name} is damaged: {exc}", remedy="copy or export the file again; nothing of it was loaded", file=file.name
    )


def read_blocks(file: SourceFile, dialect: Dialect, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Blocks of a file in order, without its header.

    Raises:
        SourceError: the file is truncated or cannot be decompressed.
    """
    row = 1
    try:
        with open_bytes(file) as stream:
            for number, text in enumerate(_whole_records(_utf8(stream, dialect, block_bytes))):
                body = text[text.find(b"\n") + 1 :] if number == 0 else text
                block = _clean(body, dialect, row)
                row += block.rows
                yield block
    except OSError as exc:
        raise _damaged(file, exc) from None


def _utf8(stream: IO[bytes], dialect: Dialect, block_bytes: int) -> Iterator[bytes]:
    if dialect.encoding in ("utf-8", "utf-8-sig"):
        if dialect.encoding == "utf-8-sig":
            stream.read(3)
        while piece := stream.read(block_bytes):
            yield piece
        return
    decoder = codecs.getincrementaldecoder(dialect.encoding)(errors="cauri_mark")
    while piece := stream.read(block_bytes):
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _whole_records(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = _record_end(text)
        if cut:
            yield text[:cut]
        rest = text[cut:]
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _record_end(text: bytes) -> int:
    """Where the last record that is surely whole ends."""
    last = cut = text.rfind(b"\n") + 1
    for _ in range(MAX_LINES_OF_RECORD):
        if text.count(b'"', 0, cut) % 2 == 0:
            return cut
        cut = text.rfind(b"\n", 0, cut - 1) + 1
    return last


def _clean(text: bytes, dialect: Dialect, first_row: int) -> Block:
    text = _valid_text(text)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    rows = text.count(b"\n")
    block = Block(first_row, rows, text, {}, broken=not text.isascii() and BROKEN.encode() in text)
    return block if _is_regular(block, dialect) else repaired(block, dialect)


def _valid_text(text: bytes) -> bytes:
    if b"\x00" in text:
        text = text.replace(b"\x00", f"{BROKEN}00".encode())
    if text.isascii():
        return text
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp1252" if is_cp1252(text) else "utf-8"
        return text.decode(encoding, errors="cauri_mark").encode()
    return text


def _is_regular(block: Block, dialect: Dialect) -> bool:
    # One line a field short and another a field long cancel out here; the parser's extra column shows the long one.
    fields = block.data.count(dialect.delimiter.encode())
    return b'"' not in block.data and fields == block.rows * (len(dialect.header) - 1)


def repaired(block: Block, dialect: Dialect) -> Block:
    """The block with every irregular record replaced by a placeholder."""
    delimiter = dialect.delimiter.encode()
    expected = len(dialect.header) - 1
    clean: list[bytes] = []
    raw_lines: dict[int, str] = {}
    for record in _records(block.data):
        fault = _fault(record, delimiter, expected)
        if fault:
            raw_lines[block.first_row + len(clean)] = record.decode()
            clean.append(delimiter * (expected + 1) + fault)
        else:
            clean.append(record)
    clean.append(b"")
    return Block(block.first_row, len(clean) - 1, b"\n".join(clean), raw_lines, block.broken)


def _records(text: bytes) -> Iterator[bytes]:
    """Records of a block: lines, joined while a quote is open; blank lines are none."""
    lines = text.split(b"\n")
    at = 0
    while at < len(lines):
        record = lines[at]
        at += 1
        if record.count(b'"') % 2:
            joined = _closed(lines, at - 1)
            if joined > at:
                record = b"\n".join(lines[at - 1 : joined])
                at = joined
        if record.strip():
            yield record


def _closed(lines: list[bytes], start: int) -> int:
    """Index after the line that closes the quote opened in line `start`; `start` + 1 if none does."""
    quotes = 0
    for at in range(start, min(start + MAX_LINES_OF_RECORD, len(lines))):
        quotes += lines[at].count(b'"')
        if quotes % 2 == 0:
            return at + 1
    return start + 1


def _fault(record: bytes, delimiter: bytes, expected: int) -> bytes:
    if b'"' in record:
        if b"\n" in record:
            return b"line_break"
        if record.count(b'"') % 2:
            return b"unclosed_quote"
        found = _QUOTED.sub(b"", record).count(delimiter)
    else:
        found = record.count(delimiter)
    if found == expected:
        return b""
    return b"too_many_fields" if found > expected else b"too_few_fields"
