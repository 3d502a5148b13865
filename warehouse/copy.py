"""COPY in PostgreSQL's binary format: frames in, rows out, no value ever turned into text."""

from collections.abc import Iterable
from decimal import Decimal

import polars as pl
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg.types.numeric import DecimalBinaryDumper

from warehouse.connection import Connection, sql

# A batch is encoded whole before it is sent. A million bytes stay in the processor's cache on their way: with 8 times
# as many, encoding takes 1.7 times as long.
ROWS_PER_BATCH = 8_192
# Converting copies times and text: that of so many rows is 30 MB.
ROWS_PER_CONVERSION = 262_144

# What each frame type arrives as. A type that is not here is refused: binary COPY checks no types, and a wrong
# width is not an error in PostgreSQL but another number.
COPY_TYPES: dict[pl.DataType | type[pl.DataType], str] = {
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Float32: "real",
    pl.Float64: "double precision",
    pl.Boolean: "boolean",
    pl.String: "text",
    pl.Binary: "bytea",
    pl.Date: "date",
    pl.Datetime("us", "UTC"): "timestamp with time zone",
    pl.List(pl.String): "text[]",
}

# Also taken as text; they are brought into their own binary form before they are sent.
FROM_TEXT = frozenset({"numeric", "jsonb"})

# PostgreSQL counts from 2000-01-01. What has no room after the shift wraps around: so the driver reads infinity, too.
_EPOCH_DAYS = pl.lit(10_957, dtype=pl.Int32)
_EPOCH_MICROSECONDS = pl.lit(946_684_800_000_000, dtype=pl.Int64)


def copy_frame(connection: Connection, table: sql.Identifier, frame: pl.DataFrame, *, freeze: bool = False) -> None:
    """Append `frame` to `table`, column by column name.

    `freeze` needs a table that was created in the same transaction.

    Raises:
        TypeError: a column of the frame has a type that binary COPY would not carry faithfully, or differs in type
            from the table's column.
    """
    copy_frames(connection, table, [frame], freeze=freeze)


def copy_frames(
    connection: Connection, table: sql.Identifier, frames: Iterable[pl.DataFrame], *, freeze: bool = False
) -> None:
    """Append frames of one schema to `table` in one COPY; each is forgotten once it is sent. See `copy_frame`."""
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        return
    types = table_types(connection, table)
    columns = sql.SQL(", ").join(map(sql.Identifier, first.columns))
    options = sql.SQL("FORMAT BINARY, FREEZE") if freeze else sql.SQL("FORMAT BINARY")
    statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(table, columns, options)
    _check_types(table, types, first.schema)
    encoder = ArrowToPostgresBinaryEncoder(_arrow(first.clear(), types).schema)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        frame: pl.DataFrame | None = first
        while frame is not None:
            if frame.schema != first.schema:
                raise TypeError(f"{table.as_string()}: a frame's columns differ from those of the first")
            for part in frame.iter_slices(ROWS_PER_CONVERSION):
                for batch in _arrow(part, types).to_batches(max_chunksize=ROWS_PER_BATCH):
                    copy.write(encoder.write_batch(batch))
            frame = next(remaining, None)
        copy.write(encoder.finish())


def _check_types(table: sql.Identifier, types: dict[str, str], schema: pl.Schema) -> None:
    for name, dtype in schema.items():
        expected = types.get(name)
        found = COPY_TYPES.get(dtype)
        if found is None or found != ("text" if expected in FROM_TEXT else expected):
            raise TypeError(f"{table.as_string()}.{name} is {expected}, the frame's column is {dtype}")


def table_types(connection: Connection, table: sql.Identifier) -> dict[str, str]:
    """Column name -> type, as the catalog spells it."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table.as_string(),),
    ).fetchall()
    return dict(rows)


def _arrow(frame: pl.DataFrame, types: dict[str, str]) -> pa.Table:
    sent = frame.with_columns(_sent(frame[name], types[name]) for name in frame.columns)
    return sent.to_arrow(compat_level=pl.CompatLevel.oldest())


def _sent(values: pl.Series, target: str) -> pl.Series | pl.Expr:
    """Values whose plain bytes are those that PostgreSQL expects of the type."""
    match target:
        case "date":
            return pl.col(values.name).to_physical() - _EPOCH_DAYS
        case "timestamp with time zone":
            return pl.col(values.name).to_physical() - _EPOCH_MICROSECONDS
        case "jsonb":
            # The version of its binary form, then the text.
            return pl.concat_str(pl.lit("\x01"), values.name).cast(pl.Binary).alias(values.name)
        case "numeric":
            dumper = DecimalBinaryDumper(Decimal)
            data = [text if text is None else bytes(dumper.dump(Decimal(text)) or b"") for text in values]
            return pl.Series(values.name, data, dtype=pl.Binary)
        case _:
            return pl.col(values.name)
