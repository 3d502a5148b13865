"""The transactions file of one month."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from sample import rows, text
from sample.dialect import ISO, Dialect, Form
from sample.dirt import REASONS, Fields, dirty_line, soil
from sample.rows import Rows
from sample.tables import TRANSACTIONS, parsed
from sample.text import Wording
from sample.writer import write_lines, write_table

# Rows made text at once: bounds the memory beside the numbers of the month.
SLICE_ROWS = 250_000


def write_month(path: Path, table: Rows, form: Form, wordings: dict[Dialect, Wording]) -> None:
    """`wordings` holds that of ISO, in which rows are damaged and parsed, and that of the form's dialect."""
    if form.parquet:
        write_table(path, pl.concat([_typed(part, wordings[ISO]) for part in _slices(table)]), form)
    else:
        write_lines(path, _lines(table, form.dialect, wordings), form)


def _lines(
    table: Rows, dialect: Dialect, wordings: dict[Dialect, Wording]
) -> Iterator[tuple[pl.DataFrame, list[bytes]]]:
    for part in _slices(table):
        bad = _bad_rows(part, wordings[ISO])
        lines = [dirty_line("transactions", reason, clean, turn, dialect) for reason, clean, turn in bad]
        words = wordings[dialect]
        yield text.transactions(text.with_placeholders(part, words), words), lines


def _typed(part: Rows, words: Wording) -> pl.DataFrame:
    """The part as typed columns, bad rows in their places."""
    good = np.flatnonzero(~text.is_prepared(part))
    places = pl.Series("place", np.concatenate([good, np.flatnonzero(text.is_prepared(part))]))
    frame = parsed(text.transactions(rows.take(part, good), words), TRANSACTIONS)
    soiled = [soil("transactions", reason, clean, turn) for reason, clean, turn in _bad_rows(part, words)]
    bad = parsed(pl.DataFrame(soiled, schema=frame.columns), TRANSACTIONS)
    return pl.concat([frame, bad]).with_columns(places).sort("place").drop("place")


def _bad_rows(part: Rows, words: Wording) -> list[tuple[str, Fields, int]]:
    """Reason, fields before the damage and a number to vary the damage by."""
    bad = rows.take(part, np.flatnonzero(text.is_prepared(part)))
    fields = text.transactions(bad, words).select(pl.all().cast(pl.String).fill_null("")).rows(named=True)
    reasons = (REASONS[reason] for reason in bad["reason"])
    return list(zip(reasons, fields, bad["id_number"].tolist(), strict=True))


def _slices(table: Rows) -> Iterator[Rows]:
    """At least one, so that a month without rows still has its heading."""
    for start in range(0, max(rows.count(table), 1), SLICE_ROWS):
        yield {name: column[start : start + SLICE_ROWS] for name, column in table.items()}
