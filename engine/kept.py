"""Rows that quarantine kept become files again, which steps 2 and 3 read like any other; each row keeps its number."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from engine.blocks import Block, clean
from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.fields import ROW_NUMBER
from engine.form import Form, typed
from engine.mapping import Source
from engine.pieces import Piece
from engine.quarantine import LINE, Box, Values, client_refs
from engine.read import PARQUET_BATCH_ROWS, Batch, Reader, kept_reader
from engine.selection import RefusedRow
from warehouse.connection import Connection
from warehouse.errors import SourceError
from warehouse.keyring import Keyring
from warehouse.queries import query

# What is known of each row of quarantine that is read again.
ROWS_SCHEMA: dict[str, Any] = {ROW_NUMBER: pl.Int64, "quarantine_id": pl.Int64, "correction": pl.Binary}


@dataclass(frozen=True)
class Kept:
    """Rows of one file, as a file. `origin` is the identity of the one they came from, `rows` has `ROWS_SCHEMA`."""

    reader: Reader
    form: Form
    origin: tuple[str, str, str]
    rows: pl.DataFrame

    @property
    def file(self) -> SourceFile:
        return self.reader.file

    def correction_refs(self, keyring: Keyring) -> pl.DataFrame:
        """`row_number` and `client_ref`: the clients that corrected rows name."""
        corrected = self.rows.filter(pl.col("correction").is_not_null())
        if corrected.is_empty():
            return pl.DataFrame(schema={ROW_NUMBER: pl.Int64, "client_ref": pl.Binary})
        batches: Iterable[Batch] = (lazy.read() for lazy in self.reader.batches())
        return pl.concat([client_refs(batch, corrected, keyring) for batch in batches])


def stored_forms(connection: Connection) -> dict[int, Form]:
    """Number -> form, of all forms that are stored."""
    rows = connection.execute(query("quarantine/forms")).fetchall()
    return {number: Form.from_json(document) for number, document in rows}


@dataclass(frozen=True)
class Bench:
    """With what rows are made ready: the forms by number, the keys, and mappings that take the place of old ones."""

    forms: Mapping[int, Form]
    keyring: Keyring
    sources: tuple[Source, ...] = ()

    def stored_form(self, row: RefusedRow) -> Form:
        """The form under which a row was read the last time."""
        assert row.form_id is not None
        return self.forms[row.form_id]

    def form_of(self, row: RefusedRow) -> Form:
        """The form under which it is read now: a mapping that covers its file takes the place of the old one."""
        form = self.stored_form(row)
        for source in self.sources:
            if source.feed.name == row.feed and source.covers(row.file_name):
                comma = form.decimal_comma if source.decimal is None else source.decimal == ","
                return replace(form, columns=source.columns, timezone=source.timezone, decimal_comma=comma)
        return form


def keep(rows: Iterable[RefusedRow], bench: Bench, first_number: int = 0) -> list[Kept]:
    """Make files of rows (all of which have a form), which come in the order of their files.

    Raises:
        SourceError: headings do not fit the mapping, or a corrected line holds several.
    """
    files = groupby(rows, key=lambda row: (row.file, row.form_id))
    return [_kept(list(of_file), bench, number) for number, (_, of_file) in enumerate(files, start=first_number)]


def _kept(rows: list[RefusedRow], bench: Bench, number: int) -> Kept:
    first, form, box = rows[0], bench.form_of(rows[0]), Box(bench.keyring)
    digest = hashlib.sha256()
    contents: list[Block | pl.DataFrame] = []
    known: list[tuple[int, int, bytes | None]] = []
    for start in range(0, len(rows), PARQUET_BATCH_ROWS):
        values: dict[int, Values] = {}
        for row in rows[start : start + PARQUET_BATCH_ROWS]:
            held = row.values or {}
            text = json.dumps(held, ensure_ascii=False)
            # The attempt, too: the same row under the same values is other work the next time.
            digest.update(f"{row.number} {row.attempts} {text}\n".encode())
            known.append((row.row_number, row.number, box.seal(text) if row.is_news else None))
            values[row.row_number] = held
        contents += _contents(values, form, first.file_name)
    source = form.source(FEEDS[first.feed])
    file = SourceFile(number, None, first.file_name, source, 0, digest.hexdigest())
    reader = kept_reader(file, form.dialect, form.headings, tuple(contents))
    return Kept(reader, form, first.file, pl.DataFrame(known, schema=ROWS_SCHEMA, orient="row"))


def _contents(values: Mapping[int, Values], form: Form, file_name: str) -> Iterator[Block | pl.DataFrame]:
    lines = {number: row[LINE] or "" for number, row in values.items() if is_line(row, form)}
    fields = {number: row for number, row in values.items() if number not in lines}
    if lines:
        yield _block(lines, form, file_name)
    if fields:
        columns = {name: [row.get(name) for row in fields.values()] for name in form.headings}
        texts = pl.DataFrame({ROW_NUMBER: list(fields), **columns}, schema_overrides=_texts(form))
        yield from typed(texts, form)


def _texts(form: Form) -> dict[str, Any]:
    return {ROW_NUMBER: pl.Int64, **dict.fromkeys(form.headings, pl.String)}


def is_line(values: Values, form: Form) -> bool:
    """Whether a row is the text of a line that could not be told apart into fields."""
    return set(values) == {LINE} and LINE not in form.headings


def _block(lines: Mapping[int, str], form: Form, file_name: str) -> Block:
    """One block of lines, each judged by itself: an open quote of one would reach into the next."""
    dialect = form.dialect
    assert dialect is not None
    data, raw_lines, broken = [], {}, []
    for number, text in lines.items():
        line = text.encode() + b"\n"
        alone = clean(Piece(number, line.count(b"\n"), line), dialect)
        if alone.data.count(b"\n") != 1:
            raise SourceError(
                f"{file_name}, row {number}: the corrected line is not one row",
                remedy="write it in one line, or fill its columns",
            )
        data.append(alone.data)
        raw_lines.update(alone.raw_lines)
        broken += [number] if alone.broken else []
    return Block(0, b"".join(data), np.array(list(lines)), raw_lines, broken)
