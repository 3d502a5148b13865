"""Marks in the bytes of text: line ends and quotes, and where bytes were no text."""

import codecs

import numpy as np
from numpy.typing import NDArray

# Stands where bytes were not text; the bytes follow in hexadecimal. `MARKED` is how decoders are told to.
BROKEN, MARKED = "\ufffd", "cauri_mark"

NEWLINE, QUOTE = b"\n", b'"'

Numbers = NDArray[np.int64]


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN + error.object[error.start : error.end].hex(), error.end


codecs.register_error(MARKED, _mark_broken)


def count(text: bytes, mark: bytes, start: int = 0, end: int | None = None) -> int:
    """How often a byte is there."""
    # bytes.count takes 5 times as long where the mark is frequent.
    return int(np.count_nonzero(np.frombuffer(text, np.uint8)[start:end] == mark[0]))


def places(text: bytes, mark: bytes) -> Numbers:
    """Where a byte is."""
    return np.flatnonzero(np.frombuffer(text, np.uint8) == mark[0])


def count_by_line(text: bytes, mark: bytes, ends: Numbers) -> Numbers:
    """How often a byte is in each line, given where they end."""
    # Bits are counted by words: 8 MiB take 1.6 ms. To find each place, and look up which line has it, takes 5.8.
    bits = np.packbits(np.frombuffer(text, np.uint8) == mark[0], bitorder="little")
    words = np.pad(bits, (0, -len(bits) % 8)).view("<u8")
    before = np.concatenate([[0], np.cumsum(np.bitwise_count(words), dtype=np.int64)])
    word, bit = ends >> 6, (ends & 63).astype(np.uint64)
    within = np.bitwise_count(words[word] & ((np.uint64(1) << bit) - np.uint64(1)))
    counts: Numbers = np.diff(before[word] + within, prepend=0)
    return counts
