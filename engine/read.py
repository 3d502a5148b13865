"""Step 2, Read, second half: frames of canonical columns as the file wrote them, batch by batch."""

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.blocks import BROKEN, Block, Piece, clean, lines_of, read_dialect, read_pieces, repaired
from engine.dialect import Dialect
from engine.discover import SourceFile
from engine.feeds import FEEDS, Feed, canonical_name
from engine.mapping import column_expression
from engine.tables import has_text_form, representable
from warehouse.errors import ConfigurationError, SourceError

# As many rows of a Parquet file as a block of text holds.
PARQUET_BATCH_ROWS = 65_536
MAX_FIELD_CHARACTERS = 256

# What Polars raises at a damaged Parquet file; some bytes make it panic.
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)

# Name of the field after the last one of the header: only irregular rows have one.
EXTRA = "__extra"
ROW_NUMBER = "row_number"
FAULT = "fault"

# What `engine.blocks` writes into the extra field, and what can be wrong with the text of a field.
FAULTS_OF_LINES = ("line_break", "unclosed_quote", "too_many_fields", "too_few_fields")
FAULTS_OF_FIELDS = ("field_too_long", "broken_text")

# Places of rows, from 0.
Rows = NDArray[np.int64]

# Arrow's text may hold a NUL, PostgreSQL's may not; bytes that are no text were marked.
_IS_BROKEN = pl.any_horizontal(pl.col(pl.String).str.contains_any(["\x00", BROKEN]))


@dataclass(frozen=True)
class Batch:
    """Rows of a file: `raw` under its own headings, `frame` under canonical names with `row_number` and `fault`."""

    raw: pl.DataFrame
    frame: pl.DataFrame
    raw_lines: dict[int, str]
    decimal_comma: bool


@dataclass(frozen=True)
class Reader:
    """An opened file: its header is known to fit its feed.

    `types` are those of a table's columns. `kept` is what is read in place of a file that is no longer there: blocks of
    lines, and frames of headings and `row_number`. Rows whose numbers are `left_out` are passed over.
    """

    file: SourceFile
    dialect: Dialect | None
    headings: tuple[str, ...]
    unused: tuple[str, ...]
    types: dict[str, pl.DataType] = field(default_factory=dict)
    kept: "tuple[Block | pl.DataFrame, ...] | None" = None
    left_out: frozenset[int] = frozenset()

    def batches(self) -> Iterator["LazyBatch"]:
        """The file in pieces that can be parsed apart, in order.

        Raises:
            SourceError: the file is damaged further on.
        """
        if self.kept is not None:
            yield from (LazyBatch(self, 0, content) for content in self.kept)
        elif self.file.path is None:
            rows = [{name: str(value) for name, value in row.items()} for row in self.file.source.rows]
            yield LazyBatch(self, 1, pl.DataFrame(rows, schema=dict.fromkeys(self.headings, pl.String)))
        elif self.dialect is None:
            yield from self._parquet_batches(self.file.path)
        else:
            for piece in read_pieces(self.file, self.dialect):
                yield LazyBatch(self, piece.first_line, piece)

    def _parquet_batches(self, path: Path) -> Iterator["LazyBatch"]:
        row = 1
        try:
            for frame in pl.scan_parquet(path).collect_batches(chunk_size=PARQUET_BATCH_ROWS):
                headings = dict(zip(frame.columns, self.headings, strict=True))
                yield LazyBatch(self, row, frame.rename(headings))
                row += frame.height
        except DAMAGE as exc:
            raise _damaged_parquet(self.file, exc) from None


@dataclass(frozen=True)
class LazyBatch:
    """A piece of a file that nobody has parsed yet: any thread may."""

    reader: Reader
    first_row: int
    content: Piece | Block | pl.DataFrame

    def among(self, numbers: Collection[int]) -> list[int]:
        """Those of some row numbers that are, or may be, its own."""
        own: Collection[int]
        match self.content:
            case pl.DataFrame() if ROW_NUMBER in self.content.columns:
                own = frozenset(self.content[ROW_NUMBER])
            case pl.DataFrame():
                own = range(self.first_row, self.first_row + self.content.height)
            case Piece():
                own = range(self.first_row, self.first_row + self.content.lines)
            case _:
                own = frozenset(self.content.numbers or ())
        return sorted(number for number in numbers if number in own)

    def read(self) -> Batch:
        """Parse the piece into rows."""
        batch = self._read()
        if not self.reader.left_out:
            return batch
        stays = ~pl.col(ROW_NUMBER).is_in(list(self.reader.left_out))
        return replace(batch, raw=batch.raw.filter(stays), frame=batch.frame.filter(stays))

    def _read(self) -> Batch:
        if isinstance(self.content, pl.DataFrame):
            raw = representable(self.content)
            if ROW_NUMBER not in raw.columns:
                raw = raw.with_row_index(ROW_NUMBER, offset=self.first_row)
            # A mapping may make odd text of plain one.
            is_plain = not self.reader.file.source.columns and _is_plain(raw)
            broken = pl.lit(value=False) if is_plain else _IS_BROKEN
            odd = np.empty(0, np.int64) if is_plain else np.arange(raw.height)
            return _batch(self.reader, raw.with_columns(pl.lit(None, pl.String).alias(EXTRA)), odd=odd, broken=broken)
        dialect = self.reader.dialect
        assert dialect is not None
        block, raw = _fields(self._block(dialect), dialect, self.reader.file)
        # What a mapping makes of short fields can be long.
        short = block.is_short and not self.reader.file.source.columns
        return _batch(
            self.reader, raw, block.raw_lines, odd=_odd_lines(block.data), broken=_in_lines(block), short=short
        )

    def pick(self, rows: list[int]) -> Batch:
        """Parse a few good rows only, given by their numbers: each is a line of its own."""
        if isinstance(self.content, pl.DataFrame):
            whole = self.read()
            wanted = pl.col(ROW_NUMBER).is_in(rows)
            return replace(whole, raw=whole.raw.filter(wanted), frame=whole.frame.filter(wanted))
        dialect = self.reader.dialect
        assert dialect is not None
        some = self._lines(rows, dialect)
        return _batch(
            self.reader,
            _fields(some, dialect, self.reader.file)[1],
            some.raw_lines,
            odd=np.arange(len(rows)),
            broken=_in_lines(some),
        )

    def _lines(self, rows: list[int], dialect: Dialect) -> Block:
        """The block of a few lines, given by their numbers."""
        if isinstance(self.content, Piece):
            lines = lines_of(self.content.text, (row - self.content.first_line for row in rows))
            # What other bytes mean is told by the whole piece; the rest of it need not be looked at for these.
            if lines.isascii():
                return replace(clean(Piece(rows[0], len(rows), lines), dialect), numbers=rows)
        block = self._block(dialect)
        place = {number: place for place, number in enumerate(block.numbers)} if block.numbers else None
        lines = lines_of(block.data, (place[row] if place else row - block.first_line for row in rows))
        return Block(block.first_line, lines, rows, block.raw_lines, block.broken)

    def _block(self, dialect: Dialect) -> Block:
        assert not isinstance(self.content, pl.DataFrame)
        return self.content if isinstance(self.content, Block) else clean(self.content, dialect)


def open_reader(file: SourceFile) -> Reader:
    """Open a file and check its header.

    Raises:
        SourceError: the file is empty or damaged, or its header does not fit the feed.
    """
    if file.path is None:
        headings = tuple(dict.fromkeys(name for row in file.source.rows for name in row))
        return Reader(file, None, headings, _unused(file, headings))
    if file.is_parquet:
        try:
            schema = pl.scan_parquet(file.path).collect_schema()
        except DAMAGE as exc:
            raise _damaged_parquet(file, exc) from None
        headings = _free(schema.names())
        unused = _unused(file, headings)
        types = dict(zip(headings, schema.dtypes(), strict=True))
        _check_types(file, types, unused)
        return Reader(file, None, headings, unused, types)
    dialect = read_dialect(file)
    dialect = replace(dialect, header=_free(dialect.header))
    return Reader(file, dialect, dialect.header, _unused(file, dialect.header))


def kept_reader(
    file: SourceFile, dialect: Dialect | None, headings: tuple[str, ...], kept: tuple[Block | pl.DataFrame, ...]
) -> Reader:
    """A reader of rows that were kept aside, which have the numbers of the file that they came from.

    Raises:
        SourceError: the headings do not fit the feed, or the mapping.
    """
    return Reader(file, dialect, headings, _unused(file, headings), kept=kept)


def _free(headings: Iterable[str]) -> tuple[str, ...]:
    """Headings, none of which is the name of a column that the reader itself adds."""
    return tuple(f"{name}_" if name in (EXTRA, ROW_NUMBER) else name for name in headings)


def _damaged_parquet(file: SourceFile, exc: BaseException) -> SourceError:
    reason = str(exc).partition("\n")[0]
    return SourceError(f"{file.name} is no whole Parquet file: {reason}", remedy="copy or export the file again")


def _check_types(file: SourceFile, types: dict[str, pl.DataType], unused: tuple[str, ...]) -> None:
    wrong = [f"{name!r} ({dtype})" for name, dtype in types.items() if name not in unused and not has_text_form(dtype)]
    if wrong:
        raise SourceError(
            f"{file.name}: a field must be one value, but that is not the type of {', '.join(wrong)}",
            remedy="export single values, or map another column in feeds.toml",
        )


def _mapped(file: SourceFile, headings: tuple[str, ...]) -> dict[str, pl.Expr]:
    """Canonical column -> expression over the headings."""
    mapped = {name: column_expression(value, where=f"column {name}") for name, value in file.source.columns.items()}
    for heading in headings:
        name = canonical_name(heading)
        if name in file.feed.names and name not in mapped:
            mapped[name] = pl.col(heading)
    return mapped


def _unused(file: SourceFile, headings: tuple[str, ...]) -> tuple[str, ...]:
    mapped = _mapped(file, headings)
    used = {root for expression in mapped.values() for root in expression.meta.root_names()}
    unknown = sorted(used - set(headings) - {ROW_NUMBER})
    if unknown:
        raise SourceError(
            f"{file.name}: the mapping uses {', '.join(map(repr, unknown))}, which its header has not",
            remedy=f"the header is {', '.join(headings)}",
        )
    missing = [name for name in file.feed.required if name not in mapped]
    unused = tuple(heading for heading in headings if heading not in used)
    if missing:
        raise SourceError(
            f"{file.name}: missing {', '.join(missing)} for feed {file.feed.name}; found {', '.join(headings)}",
            remedy=_hint(file.feed, headings, missing, unused),
            missing=missing,
        )
    return unused


def _hint(feed: Feed, headings: tuple[str, ...], missing: list[str], unused: tuple[str, ...]) -> str:
    names = {canonical_name(heading) for heading in headings}
    for other in FEEDS.values():
        if other.name != feed.name and set(other.required) <= names:
            return (
                f"this looks like the feed {other.name}: rename the file to {other.name}_..., or map it in feeds.toml"
            )
    for heading in unused:
        close = difflib.get_close_matches(canonical_name(heading), missing, n=1)
        if close:
            return f"is {heading!r} perhaps {close[0]}? Map it in feeds.toml: [source.columns] {close[0]} = {heading!r}"
    return "map the columns in a feeds.toml beside the files; docs/feeds.md shows how"


def _fields(block: Block, dialect: Dialect, file: SourceFile) -> tuple[Block, pl.DataFrame]:
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
    return raw if block.numbers is None else raw.with_columns(pl.Series(ROW_NUMBER, block.numbers, pl.UInt32))


def _is_odd(data: bytes) -> bool:
    """Whether a field may begin or end with a blank (there are some beyond ASCII), or be an empty one in quotes."""
    # Single bytes: the search for two takes ten times as long.
    return not data.isascii() or any(mark in data for mark in (b" ", b"\t", b"\r", b"\v", b"\f", b'"'))


def _odd_lines(data: bytes) -> Rows:
    """Lines, from 0, of which a field may begin or end with a blank, or be an empty one in quotes."""
    if not _is_odd(data):
        return np.empty(0, np.int64)
    octets = np.frombuffer(data, np.uint8)
    # All below "#" and beyond ASCII, line ends among them, which tell where the others stand.
    marks = octets[np.flatnonzero(octets - np.uint8(ord("#")) > 127 - ord("#"))]
    is_end = marks == ord("\n")
    odd: Rows = np.unique(np.cumsum(is_end)[~is_end])
    return odd


def _trimmed(frame: pl.DataFrame, odd: Rows) -> pl.DataFrame:
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


def _is_plain(frame: pl.DataFrame) -> bool:
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


def _batch(
    reader: Reader,
    raw: pl.DataFrame,
    raw_lines: dict[int, str] | None = None,
    *,
    odd: Rows,
    broken: pl.Expr,
    short: bool = False,
) -> Batch:
    mapped = _mapped(reader.file, reader.headings)
    try:
        frame = raw.select(
            pl.col(ROW_NUMBER).cast(pl.Int64),
            pl.col(EXTRA),
            *(mapped.get(name, pl.lit(None, pl.String)).alias(name) for name in reader.file.feed.names),
        )
    except pl.exceptions.PolarsError as exc:
        # The message of Polars quotes values.
        raise ConfigurationError(
            f"{reader.file.name}: an expression of its mapping fails on some row ({type(exc).__name__})",
            remedy="headings are text there: use TRY_CAST, which gives NULL, in place of CAST",
        ) from None
    frame = _trimmed(frame, odd)
    frame = frame.with_columns(_fault(frame, broken, short=short).alias(FAULT)).drop(EXTRA)
    return Batch(raw, frame, raw_lines or {}, bool(reader.dialect and reader.dialect.decimal_comma))


def _in_lines(block: Block) -> pl.Expr:
    return pl.col(ROW_NUMBER).is_in(block.broken) if block.broken else pl.lit(value=False)


def _fault(frame: pl.DataFrame, broken: pl.Expr, *, short: bool) -> pl.Expr:
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String and name != EXTRA]
    # Characters are never more than bytes, and bytes are counted in no time.
    too_long = pl.lit(value=False) if short else pl.any_horizontal(pl.col(texts).str.len_bytes() > MAX_FIELD_CHARACTERS)
    if not short and frame.select(too_long.any()).item():
        too_long = pl.any_horizontal(pl.col(texts).str.len_chars() > MAX_FIELD_CHARACTERS)
    known = pl.col(EXTRA).is_in(FAULTS_OF_LINES)
    return (
        pl.when(pl.col(EXTRA).is_not_null())
        .then(pl.when(known).then(pl.col(EXTRA)).otherwise(pl.lit("too_many_fields")))
        .when(too_long)
        .then(pl.lit("field_too_long"))
        .when(broken)
        .then(pl.lit("broken_text"))
    )
