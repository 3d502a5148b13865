"""Marks in the bytes of text: line ends and quotes, and where bytes were no text."""

import codecs

import numpy as np
from numpy.typing import NDArray

# Stands where bytes were not text; the bytes follow in hexadecimal. `MARKED` is how decoders are told to.
BROKEN, MARKED = "\ufffd", "cauri_mark"

NEWLINE, QUOTE = b"\n", b'"'


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN + error.object[error.start : error.end].hex(), error.end


codecs.register_error(MARKED, _mark_broken)


def count(text: bytes, mark: bytes, start: int = 0, end: int | None = None) -> int:
    """How often a byte is there."""
    # bytes.count takes 5 times as long where the mark is frequent.
    return int(np.count_nonzero(np.frombuffer(text, np.uint8)[start:end] == mark[0]))


def places(text: bytes, mark: bytes) -> NDArray[np.int64]:
    """Where a byte is."""
    return np.flatnonzero(np.frombuffer(text, np.uint8) == mark[0])
