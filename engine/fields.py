"""Step 2, Read, third: the fields of a block's records, and what is wrong with the text of some."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.blocks import Block, repaired
from engine.dialect import Dialect
from engine.discover import SourceFile
from engine.marks import BROKEN
from warehouse.errors import SourceError

MAX_FIELD_CHARACTERS = 256

# Name of the field after the last one of the header: only irregular rows have one.
EXTRA = "__extra"
ROW_NUMBER = "row_number"
FAULT = "fault"

# What `engine.records` writes into the extra field, and what can be wrong with the text of a field.
FAULTS_OF_LINES = ("line_break", "unclosed_quote", "too_many_fields", "too_few_fields")
FAULTS_OF_FIELDS = ("field_too_long", "broken_text")

# Places of rows, from 0.
Rows = NDArray[np.int64]

# Arrow's text may hold a NUL, PostgreSQL's may not; bytes that are no text were marked.
IS_BROKEN = pl.any_horizontal(pl.col(pl.String).str.contains_any(["\x00", BROKEN]))


def fields_of(block: Block, dialect: Dialect, file: SourceFile) -> tuple[Block, pl.DataFrame]:
    """The fields of a block's records, and the block, repaired if it had to be."""
    if block.is_even:
        try:
            return block, _parse(block, dialect, extra=False).with_columns(pl.lit(None, pl.String).alias(EXTRA))
        except pl.exceptions.PolarsError:
            block = repaired(block, dialect)
    try:
        return block, _parse(block, dialect, extra=True)
    except pl.exceptions.PolarsError:
        raise SourceError(
            f"{file.name}: the lines after line {block.first_line} cannot be split into fields",
            remedy="look for unbalanced quotes there",
        ) from None


def _parse(block: Block, dialect: Dialect, *, extra: bool) -> pl.DataFrame:
    """Split lines into fields, with or without an extra one, beyond which fields are ignored, or else an error."""
    schema = dict.fromkeys((*dialect.header, EXTRA) if extra else dialect.header, pl.String())
    if not block.data:
        return pl.DataFrame(schema={ROW_NUMBER: pl.UInt32, **schema})
    raw = pl.read_csv(
        block.data,
        has_header=False,
        schema=schema,
        separator=dialect.delimiter,
        infer_schema=False,
        # An even block has no quote, and to look for none takes a tenth of the parser's time.
        quote_char=None if block.is_even else '"',
        missing_columns="insert",
        extra_columns="ignore" if extra else "raise",
        row_index_name=ROW_NUMBER,
        row_index_offset=block.first_line,
    )
    if block.numbers is None:
        return raw
    # Columns of unlike chunks are made one at each step that follows, unless they are now.
    return raw.with_columns(pl.Series(ROW_NUMBER, block.numbers, pl.UInt32)).rechunk()


def _is_odd(data: bytes) -> bool:
    """Whether a field may begin or end with a blank (there are some beyond ASCII), or be an empty one in quotes."""
    # Single bytes: the search for two takes ten times as long.
    return not data.isascii() or any(mark in data for mark in (b" ", b"\t", b"\r", b"\v", b"\f", b'"'))


def odd_lines(data: bytes) -> Rows:
    """Lines, from 0, of which a field may begin or end with a blank, or be an empty one in quotes."""
    if not _is_odd(data):
        return np.empty(0, np.int64)
    octets = np.frombuffer(data, np.uint8)
    # All below "#" and beyond ASCII, line ends among them, which tell where the others stand.
    marks = octets[np.flatnonzero(octets - np.uint8(ord("#")) > 127 - ord("#"))]
    is_end = marks == ord("\n")
    odd: Rows = np.unique(np.cumsum(is_end)[~is_end])
    return odd


def without_blanks(frame: pl.DataFrame, odd: Rows) -> pl.DataFrame:
    """Text without blanks around it, null where nothing is left; only the odd rows may need it."""
    if not len(odd):
        return frame
    # To trim a column takes longer than to look whether its odd rows need it, but if most are odd.
    some = frame if len(odd) > frame.height // 4 else frame[odd]
    trimmed = some.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
    if some is frame:
        return trimmed
    changed = [name for name in some.columns if not some[name].equals(trimmed[name], null_equal=True)]
    return frame.with_columns(pl.col(changed).str.strip_chars().replace("", None))


def is_plain(frame: pl.DataFrame) -> bool:
    """Whether no text of a frame is empty, has a blank or NUL in it, or goes beyond ASCII.

    To look at all of it at once takes half of looking at each value.
    """
    texts = frame.select(pl.col(pl.String))
    if not texts.width:
        return True
    if texts.select(pl.any_horizontal((pl.all().str.len_bytes() == 0).any())).item():
        return False
    data = "".join(texts.select(pl.all().str.join()).row(0)).encode()
    return not _is_odd(data) and b"\x00" not in data


def in_lines(block: Block) -> pl.Expr:
    """Whether some bytes of a row were no text."""
    return pl.col(ROW_NUMBER).is_in(block.broken) if block.broken else pl.lit(value=False)


def faults(frame: pl.DataFrame, broken: pl.Expr, *, short: bool) -> pl.Series:
    """The fault of form of each row, null if it has none. `short`: no field comes near to being too long."""
    texts = pl.col([name for name, dtype in frame.schema.items() if dtype == pl.String and name != EXTRA])
    # Characters are never more than bytes, and bytes are counted in no time.
    may_be_long = pl.lit(value=False) if short else pl.any_horizontal(texts.str.len_bytes() > MAX_FIELD_CHARACTERS)
    none = pl.Series(FAULT, [None], pl.String).new_from_index(0, frame.height)
    rows = frame.select(pl.arg_where(pl.col(EXTRA).is_not_null() | may_be_long | broken)).to_series()
    if rows.is_empty():
        return none
    known = pl.col(EXTRA).is_in(FAULTS_OF_LINES)
    fault = (
        pl.when(pl.col(EXTRA).is_not_null())
        .then(pl.when(known).then(pl.col(EXTRA)).otherwise(pl.lit("too_many_fields")))
        .when(pl.any_horizontal(texts.str.len_chars() > MAX_FIELD_CHARACTERS))
        .then(pl.lit("field_too_long"))
        .when(broken)
        .then(pl.lit("broken_text"))
    )
    return none.scatter(rows, frame[rows].select(fault).to_series())
