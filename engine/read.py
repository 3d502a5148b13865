"""Step 2, Read, fourth: frames of canonical columns as the file wrote them, batch by batch."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from engine.blocks import Block, clean, lines_of
from engine.dialect import Dialect
from engine.discover import SourceFile
from engine.fields import (
    EXTRA,
    IS_BROKEN,
    ROW_NUMBER,
    Rows,
    faults,
    fields_of,
    in_lines,
    is_plain,
    odd_lines,
    without_blanks,
)
from engine.headings import canonical_columns, check_types, free_headings, unused_headings
from engine.pieces import Piece, read_dialect, read_pieces
from engine.tables import representable
from warehouse.errors import ConfigurationError, SourceError

# As many rows of a Parquet file as a block of text holds.
PARQUET_BATCH_ROWS = 65_536

# What Polars raises at a damaged Parquet file; some bytes make it panic.
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


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
                own = frozenset(() if self.content.numbers is None else self.content.numbers.tolist())
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
            plain = not self.reader.file.source.columns and is_plain(raw)
            broken = pl.lit(value=False) if plain else IS_BROKEN
            odd = np.empty(0, np.int64) if plain else np.arange(raw.height)
            return _batch(self.reader, raw.with_columns(pl.lit(None, pl.String).alias(EXTRA)), odd=odd, broken=broken)
        dialect = self.reader.dialect
        assert dialect is not None
        block, raw = fields_of(self._block(dialect), dialect, self.reader.file)
        # What a mapping makes of short fields can be long.
        short = block.is_short and not self.reader.file.source.columns
        return _batch(self.reader, raw, block.raw_lines, odd=odd_lines(block.data), broken=in_lines(block), short=short)

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
            fields_of(some, dialect, self.reader.file)[1],
            some.raw_lines,
            odd=np.arange(len(rows)),
            broken=in_lines(some),
        )

    def _lines(self, rows: list[int], dialect: Dialect) -> Block:
        """The block of a few lines, given by their numbers."""
        if isinstance(self.content, Piece):
            lines = lines_of(self.content.text, (row - self.content.first_line for row in rows))
            # What other bytes mean is told by the whole piece; the rest of it need not be looked at for these.
            if lines.isascii():
                return replace(clean(Piece(rows[0], len(rows), lines), dialect), numbers=np.array(rows))
        block = self._block(dialect)
        if block.numbers is None:
            numbers = np.array(rows)
            places = numbers - block.first_line
        else:
            places = np.flatnonzero(np.isin(block.numbers, rows))
            numbers = block.numbers[places]
        return Block(block.first_line, lines_of(block.data, places), numbers, block.raw_lines, block.broken)

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
        return Reader(file, None, headings, unused_headings(file, headings))
    if file.is_parquet:
        try:
            schema = pl.scan_parquet(file.path).collect_schema()
        except DAMAGE as exc:
            raise _damaged_parquet(file, exc) from None
        headings = free_headings(schema.names())
        unused = unused_headings(file, headings)
        types = dict(zip(headings, schema.dtypes(), strict=True))
        check_types(file, types, unused)
        return Reader(file, None, headings, unused, types)
    dialect = read_dialect(file)
    dialect = replace(dialect, header=free_headings(dialect.header))
    return Reader(file, dialect, dialect.header, unused_headings(file, dialect.header))


def kept_reader(
    file: SourceFile, dialect: Dialect | None, headings: tuple[str, ...], kept: tuple[Block | pl.DataFrame, ...]
) -> Reader:
    """A reader of rows that were kept aside, which have the numbers of the file that they came from.

    Raises:
        SourceError: the headings do not fit the feed, or the mapping.
    """
    return Reader(file, dialect, headings, unused_headings(file, headings), kept=kept)


def _damaged_parquet(file: SourceFile, exc: BaseException) -> SourceError:
    reason = str(exc).partition("\n")[0]
    return SourceError(f"{file.name} is no whole Parquet file: {reason}", remedy="copy or export the file again")


def _batch(
    reader: Reader,
    raw: pl.DataFrame,
    raw_lines: dict[int, str] | None = None,
    *,
    odd: Rows,
    broken: pl.Expr,
    short: bool = False,
) -> Batch:
    mapped = canonical_columns(reader.file, reader.headings)
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
    frame = without_blanks(frame, odd)
    frame = frame.with_columns(faults(frame, broken, short=short)).drop(EXTRA)
    return Batch(raw, frame, raw_lines or {}, bool(reader.dialect and reader.dialect.decimal_comma))
