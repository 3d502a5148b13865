"""The dialect of a text file: encoding, delimiter, decimal mark, header. Found from its first bytes, or told."""

import csv
import io
import re
from dataclasses import dataclass

import numpy as np

from engine.discover import SourceFile
from warehouse.errors import SourceError

SAMPLE_BYTES = 256 * 1024

# Longer than any list of column names, shorter than what the csv module takes for one field (128 Ki).
MAX_HEADER_CHARACTERS = 65_536

DELIMITERS = (";", "\t", "|", ",")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Blank, no-break blank or narrow no-break blank: what stands between thousands.
THOUSANDS_BLANK = "[ \u00a0\u202f]"
_COMMA_NUMBER = re.compile(rf"^-?\d{{1,3}}(?:{THOUSANDS_BLANK}?\d{{3}})*,\d+$|^-?\d+,\d+$")
_POINT_NUMBER = re.compile(r"^-?\d+\.\d+$")

# Windows exports hold accented letters in some per cent of their lines; a damaged UTF-8 file has a broken byte in
# far fewer. In between lies nothing that was ever seen.
CP1252_SHARE_OF_LINES = 0.01


@dataclass(frozen=True)
class Dialect:
    """How the bytes of a text file become fields; `is_told`: the mapping, or a mark, says the encoding."""

    encoding: str
    delimiter: str
    decimal_comma: bool
    header: tuple[str, ...]
    is_told: bool = False


def detect(file: SourceFile, sample: bytes) -> Dialect:
    """Find the dialect from the first bytes of a file.

    Raises:
        SourceError: the file is empty, has no usable header, or names a column twice.
    """
    if not sample.strip(b"\x00\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise SourceError(f"{file.name} is empty: it has not even a header", remedy="remove it, or export it again")
    encoding = file.source.encoding or _encoding(sample)
    text = sample.decode(encoding, errors="replace")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    _check_first_line(file, lines[0])
    delimiter = file.source.delimiter or _delimiter(lines)
    header = tuple(name.strip() for name in next(csv.reader(io.StringIO(lines[0]), delimiter=delimiter)))
    _check_header(file, header)
    decimal_comma = file.source.decimal == "," if file.source.decimal else _has_decimal_comma(lines, delimiter)
    is_told = bool(file.source.encoding) or any(sample.startswith(bom) for bom, _ in _BOMS)
    return Dialect(encoding, delimiter, decimal_comma, header, is_told)


def _encoding(sample: bytes) -> str:
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if is_cp1252(whole) else "utf-8"
    return "utf-8"


def is_cp1252(sample: bytes, others: list[tuple[int, int, int]] | None = None) -> bool:
    """Whether bytes that are not UTF-8 are Windows text, rather than UTF-8 with damage.

    The start of a file can be plain ASCII in either, so that whoever reads on asks again, block by block. `others`: its
    `other_lines`, if they are known.
    """
    lines = [sample[start:end] for _, start, end in (other_lines(sample) if others is None else others)]
    broken = [line for line in lines if not is_utf8(line)]
    if len(broken) < len(lines):
        return False
    many = bool(
        len(broken) > CP1252_SHARE_OF_LINES * (np.count_nonzero(np.frombuffer(sample, np.uint8) == ord("\n")) + 1)
    )
    return many or _delimiter(sample[: sample.find(b"\n") + 1 or None].decode("cp1252", "replace").splitlines()) == ";"


def other_lines(sample: bytes) -> list[tuple[int, int, int]]:
    """The lines that are not plain ASCII: number from 0, begin, end."""
    octets = np.frombuffer(sample, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    lines = np.unique(np.searchsorted(ends, np.flatnonzero(octets > 127)))
    bounds = np.concatenate([[-1], ends, [len(sample)]])
    return [(int(line), int(bounds[line]) + 1, int(bounds[line + 1])) for line in lines]


def is_utf8(line: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(lines: list[str]) -> str:
    header = lines[0]
    return max(DELIMITERS, key=header.count) if any(mark in header for mark in DELIMITERS) else ","


def _has_decimal_comma(lines: list[str], delimiter: str) -> bool:
    if delimiter == ",":
        return False
    fields = [field.strip() for line in lines[1:1001] for field in line.split(delimiter)]
    commas = sum(bool(_COMMA_NUMBER.match(field)) for field in fields)
    return commas > sum(bool(_POINT_NUMBER.match(field)) for field in fields)


def _check_first_line(file: SourceFile, line: str) -> None:
    if not line.strip("\ufeff \t"):
        raise SourceError(
            f"{file.name}: the first line is blank, where the header should be", remedy="remove the blank lines"
        )
    if "\r" in line:
        raise SourceError(
            f"{file.name}: a line of its header ends with a carriage return only",
            remedy="end the lines with LF or CR LF",
        )
    if len(line) > MAX_HEADER_CHARACTERS:
        raise SourceError(
            f"{file.name}: the first line has more than {MAX_HEADER_CHARACTERS:,} characters: this is no header",
            remedy="give a text file whose first line names the columns",
        )


def _check_header(file: SourceFile, header: tuple[str, ...]) -> None:
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise SourceError(
            f"{file.name}: the header names {', '.join(map(repr, doubled))} more than once",
            remedy="rename or remove one of them in the export",
        )
