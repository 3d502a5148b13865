"""COPY in PostgreSQL's binary format: frames in, rows out, no value ever turned into text."""

import polars as pl
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder

from warehouse.connection import Connection, sql

# A batch is encoded whole before it is sent: 64 k rows of a fact are about 8 MB.
ROWS_PER_BATCH = 65_536

# What each frame type arrives as. A type that is not here is refused: binary COPY checks no types, and a wrong
# width is not an error in PostgreSQL but another number.
COPY_TYPES: dict[pl.DataType | type[pl.DataType], str] = {
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Float64: "double precision",
    pl.Boolean: "boolean",
    pl.String: "text",
    pl.Binary: "bytea",
    pl.Date: "date",
    pl.Datetime("us", "UTC"): "timestamp with time zone",
}


def copy_frame(connection: Connection, table: sql.Identifier, frame: pl.DataFrame, *, freeze: bool = False) -> None:
    """Append `frame` to `table`, column by column name.

    `freeze` needs a table that was created in the same transaction.

    Raises:
        TypeError: a column of the frame has a type that binary COPY would not carry faithfully, or differs in type
            from the table's column.
    """
    _check_types(connection, table, frame)
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    options = sql.SQL("FORMAT BINARY, FREEZE") if freeze else sql.SQL("FORMAT BINARY")
    statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(table, columns, options)
    encoder = ArrowToPostgresBinaryEncoder(_arrow(frame.clear()).schema)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for part in frame.iter_slices(ROWS_PER_BATCH):
            for batch in _arrow(part).to_batches():
                copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())


def _check_types(connection: Connection, table: sql.Identifier, frame: pl.DataFrame) -> None:
    target = table_types(connection, table)
    for name, dtype in frame.schema.items():
        expected = target.get(name)
        found = COPY_TYPES.get(dtype)
        if found is None or found != expected:
            raise TypeError(f"{table.as_string()}.{name} is {expected}, the frame's column is {dtype}")


def table_types(connection: Connection, table: sql.Identifier) -> dict[str, str]:
    """Column name -> type, as the catalog spells it."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table.as_string(),),
    ).fetchall()
    return dict(rows)


def _arrow(frame: pl.DataFrame) -> pa.Table:
    # pgpq knows no zones; the bytes of a UTC timestamp are those of timestamptz.
    zoneless = frame.with_columns(pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None))
    return zoneless.to_arrow(compat_level=pl.CompatLevel.oldest())
