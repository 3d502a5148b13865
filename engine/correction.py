"""Refused rows as files that a person can correct and send back: the columns of their file, and who they are."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.dialect import DELIMITERS
from engine.form import Form
from engine.kept import is_line
from engine.quarantine import LINE, Values
from engine.selection import RefusedRow
from warehouse.errors import CauriError, ConfigurationError, SourceError

ID, FILE, ROW, REASONS, RAW = "cauri_id", "cauri_file", "cauri_row", "cauri_reasons", "cauri_line"
SIDE = (ID, FILE, ROW, REASONS, RAW)

# Spreadsheets take the encoding from it; Cauri's reader knows it, too.
ENCODING = "utf-8-sig"


class Export:
    """Writes refused rows, those of equal headings into one file, each readable by its owner only.

    `out` is a folder, or, if it ends in `.csv`, the one file.
    """

    def __init__(self, out: Path, forms: Mapping[int, Form]) -> None:
        self._out, self._forms = out, forms
        self._writers: dict[tuple[Any, ...], tuple[Path, _Writer, Form]] = {}
        self.rows: dict[Path, int] = {}

    def write(self, rows: Iterable[RefusedRow]) -> dict[Path, int]:
        """Write the rows; return how many went into each file.

        Raises:
            ConfigurationError: a file is there already, or one file was named and the headings differ; nothing is kept.
        """
        try:
            with ExitStack() as streams:
                self._write(rows, streams)
        except CauriError:
            for path in self.rows:
                path.unlink(missing_ok=True)
            raise
        return self.rows

    def _write(self, rows: Iterable[RefusedRow], streams: ExitStack) -> None:
        for row in rows:
            path, writer, form = self._writer(row, streams)
            values = row.values or {}
            is_text = is_line(values, form)
            fields = ["" if is_text else values.get(name) for name in form.headings]
            line = values[LINE] if is_text else ""
            writer.writerow([row.number, row.file_name, row.row_number, " ".join(row.reasons), line, *fields])
            self.rows[path] += 1

    def _writer(self, row: RefusedRow, streams: ExitStack) -> "tuple[Path, _Writer, Form]":
        # Rows of an older version have no form; their headings stand with their values.
        form = self._forms[row.form_id] if row.form_id is not None else Form(tuple(row.values or {}), ",")
        kind = (row.feed, form.headings, form.delimiter)
        if kind not in self._writers:
            path = self._path(row.feed)
            stream = streams.enter_context(_private(path))
            writer = _Writer(stream, form.delimiter or ",")
            writer.writerow([*SIDE, *form.headings])
            self._writers[kind] = path, writer, form
            self.rows[path] = 0
        path, writer, _ = self._writers[kind]
        return path, writer, form

    def _path(self, feed: str) -> Path:
        if self._out.suffix.lower() == ".csv":
            if self._writers:
                raise ConfigurationError(
                    f"the rows have different headings and cannot stand in one file, {self._out.name}",
                    remedy="name a folder in place of a file, or choose rows of one kind by --feed or --file",
                )
            return self._out
        self._out.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = sum(kind[0] == feed for kind in self._writers)
        return self._out / (f"{feed}-{others + 1}.csv" if others else f"{feed}.csv")


class _Writer:
    """Quotes what needs it; the csv module leaves out the carriage return, at which its reader stumbles."""

    def __init__(self, stream: io.TextIOWrapper, delimiter: str) -> None:
        self._plain = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        self._quoting = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def writerow(self, fields: list[Any]) -> None:
        needs_quotes = any("\r" in field for field in fields if isinstance(field, str))
        (self._quoting if needs_quotes else self._plain).writerow(fields)


def _private(path: Path) -> io.TextIOWrapper:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already", remedy="name another, or remove it: it may hold corrections"
        ) from None
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be written: {exc.strerror}", remedy="name another place") from None
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w", newline="", encoding=ENCODING)


@dataclass(frozen=True)
class Correction:
    """A row as it was sent back."""

    file_name: str
    row_number: str
    values: Values


def read_corrections(path: Path) -> dict[int, Correction]:
    """Number of the row in quarantine -> the row, of a file that `Export` wrote and a person changed.

    Raises:
        ConfigurationError: the file does not exist.
        SourceError: it is no such file, or a row of it cannot be told.
    """
    rows = _rows(path)
    header = next(rows, [])
    wrong = [name for name in (ID, FILE, ROW, RAW) if name not in header] or _doubled(header)
    if wrong:
        raise SourceError(
            f"{path.name} is no export of quarantine: its header lacks, or names twice, {', '.join(wrong)}",
            remedy="give a file that `cauri quarantine export` wrote; new rows belong into a file of the feed",
        )
    found: dict[int, Correction] = {}
    for number, fields in enumerate(rows, start=1):
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise SourceError(f"{path.name}, row {number}: {len(fields)} fields, but the header has {len(header)}")
        named = dict(zip(header, fields, strict=True))
        key = named[ID].strip()
        if not key.isdecimal() or int(key) in found:
            raise SourceError(
                f"{path.name}, row {number}: its {ID} is missing, is no number, or stands there twice",
                remedy=f"leave the column {ID} as it was exported",
            )
        found[int(key)] = Correction(named[FILE], named[ROW].strip(), _values(named))
    return found


def _doubled(header: list[str]) -> list[str]:
    return sorted({name for name in header if header.count(name) > 1})


def _values(named: dict[str, str]) -> Values:
    fields: Values = {name: value or None for name, value in named.items() if name not in SIDE}
    line = named[RAW]
    return {LINE: line} if line and not any(fields.values()) else fields


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}", remedy="give an existing file") from None
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    # A quarantined line can be as long as it likes.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as exc:
        raise SourceError(
            f"{path.name} cannot be split into rows: {exc}", remedy="look for unbalanced quotes"
        ) from None


def checked(correction: Correction, row: RefusedRow, form: Form) -> Values:
    """The values of a correction, if it is one of this row.

    Raises:
        SourceError: it is of another row, or a column of its file is missing or new.
    """
    if (correction.file_name, correction.row_number) != (row.file_name, str(row.row_number)):
        raise SourceError(
            f"the row with {ID} {row.number} is row {row.row_number} of {row.file_name} here, and another in the file",
            remedy=f"leave {ID}, {FILE} and {ROW} as they were exported, and replay into the warehouse that wrote them",
        )
    values = correction.values
    wrong = sorted(set(values) ^ set(form.headings)) if not is_line(values, form) else []
    if wrong:
        raise SourceError(
            f"{', '.join(map(repr, wrong))} is not both in the corrected file and a heading of {row.file_name}",
            remedy="leave the header as it was exported",
        )
    return values
