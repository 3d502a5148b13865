"""Step 2, Read: records that are not one whole line with as many fields as the header has.

A field too many or too few, a line break or an open quote: what a CSV parser would refuse or silently repair.
"""

import re
from functools import cache

import numpy as np

from engine.dialect import Dialect
from engine.marks import NEWLINE, QUOTE, Numbers, count_by_line, places
from engine.pieces import MAX_LINES_OF_RECORD


def regular(text: bytes, first_line: int, dialect: Dialect) -> tuple[bytes, Numbers, dict[int, str]]:
    """Text with a placeholder in place of every irregular record, and without its blank lines.

    Returns:
        The text, the number of each of its lines, counted from `first_line`, and what irregular ones were, by number.
    """
    delimiter, expected = dialect.delimiter.encode(), len(dialect.header) - 1
    ends = places(text, NEWLINE)
    kept: list[bytes] = []
    numbers: list[Numbers] = []
    raw_lines: dict[int, str] = {}
    done = 0  # lines before this one are dealt with
    for first in _suspects(text, ends, delimiter, expected):
        if first < done:
            continue  # it belongs to a record that began on a line before
        kept.append(text[start_of_line(ends, done) : start_of_line(ends, first)])
        numbers.append(np.arange(first_line + done, first_line + first))
        after = _record_after(text, ends, first, dialect.delimiter)
        record = text[start_of_line(ends, first) : ends[after - 1]]
        done = after
        if not record.strip():
            continue
        number = first_line + first
        numbers.append(np.array([number]))
        fault = _fault(record, dialect.delimiter, expected)
        if fault:
            raw_lines[number] = record.decode()
            record = delimiter * (expected + 1) + fault
        kept.append(record + NEWLINE)
    kept.append(text[start_of_line(ends, done) :])
    numbers.append(np.arange(first_line + done, first_line + len(ends)))
    return b"".join(kept), np.concatenate(numbers), raw_lines


def start_of_line(ends: Numbers, line: int) -> int:
    """Where a line begins, given where all of them end."""
    return int(ends[line - 1]) + 1 if line else 0


def _suspects(text: bytes, ends: Numbers, delimiter: bytes, expected: int) -> list[int]:
    """Lines that have a wrong number of delimiters, or a quote, or nothing."""
    wrong = count_by_line(text, delimiter, ends) != expected
    wrong[np.searchsorted(ends, places(text, QUOTE))] = True
    wrong |= np.diff(ends, prepend=-1) == 1
    return [int(line) for line in np.flatnonzero(wrong)]


def _record_after(text: bytes, ends: Numbers, first: int, delimiter: str) -> int:
    """Line after the one that closes the quote opened in line `first`; the next line if no quote is open or closed."""
    if not _opens_quote(text[start_of_line(ends, first) : int(ends[first])], delimiter):
        return first + 1
    quotes = 0
    for line in range(first, min(first + MAX_LINES_OF_RECORD, len(ends))):
        quotes += text.count(QUOTE, start_of_line(ends, line), int(ends[line]))
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
    return rest.startswith(QUOTE) or delimiter.encode() + QUOTE in rest


def _fault(record: bytes, delimiter: str, expected: int) -> bytes:
    if NEWLINE in record:
        return b"line_break"
    # An odd quote within a field would make the parser run on into the next lines.
    if record.count(QUOTE) % 2 or _opens_quote(record, delimiter):
        return b"unclosed_quote"
    found = _quoted_fields(delimiter).sub(b"", record).count(delimiter.encode())
    if found == expected:
        return b""
    return b"too_many_fields" if found > expected else b"too_few_fields"
