"""Step 2, Read, second: pieces as blocks of clean UTF-8 lines.

An irregular record is replaced by a placeholder of empty fields whose last, extra field names the fault, and its raw
text is kept beside the block. A block without trouble passes through untouched.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.dialect import Dialect, is_cp1252, is_utf8, other_lines
from engine.marks import BROKEN, MARKED, NEWLINE, QUOTE, Numbers, count, places
from engine.pieces import Piece
from engine.records import regular, start_of_line

# A mark in each of so many bytes: then no field has twice as many, a field may have 256 characters.
_WINDOW = 128
# So many bytes, and what is computed of them, stay in the processor's cache.
_LOOKED_OVER_AT_ONCE = 1024 * 1024


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
    numbers: Numbers | None
    raw_lines: dict[int, str]
    broken: list[int]
    is_even: bool = False
    is_short: bool = False


def clean(piece: Piece, dialect: Dialect) -> Block:
    """The block of a piece: records that have as many fields as the header, and placeholders for the others.

    A block that `is_even` was not looked at line by line: if a parser finds a field too many in it, it has to be
    `repaired`.
    """
    text = _valid_text(piece.text, dialect)
    if b"\r" in text:
        text = text.replace(b"\r\n", NEWLINE)
    is_even, is_short = _looked_over(text, dialect)
    block = Block(piece.first_line, text, None, {}, _broken_lines(text, piece.first_line), is_even, is_short)
    return block if is_even else repaired(block, dialect)


def _looked_over(text: bytes, dialect: Dialect) -> tuple[bool, bool]:
    """What a block `is_even` and `is_short` tell: marks are counted, which takes half of finding their places."""
    expected = len(dialect.header) - 1
    if not expected or QUOTE in text:
        return False, False
    lines = delimiters = 0
    is_short = True
    octets = np.frombuffer(text, np.uint8)
    for start in range(0, len(octets), _LOOKED_OVER_AT_ONCE):
        part = octets[start : start + _LOOKED_OVER_AT_ONCE]
        marks = part == NEWLINE[0]
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
            line += count(text, NEWLINE, counted, place)
            found.append(line)
            counted = after = text.find(NEWLINE, place)
        place = text.find(mark[:1], after)
    return found


def lines_of(text: bytes, lines: Iterable[int]) -> bytes:
    """Some of its lines, counted from 0."""
    ends = places(text, NEWLINE)
    return b"".join(text[start_of_line(ends, line) : start_of_line(ends, line + 1)] for line in lines)


def repaired(block: Block, dialect: Dialect) -> Block:
    """The block with every irregular record replaced by a placeholder, and without its blank lines."""
    data, numbers, raw_lines = regular(block.data, block.first_line, dialect)
    return Block(block.first_line, data, numbers, raw_lines, block.broken)
