"""The fingerprint of a frame: the same bytes that PostgreSQL's `record_send` makes of its rows, hashed in Polars."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import polars as pl
import polars_hash as plh
import pyarrow as pa

from partitions.columns import AS_TEXT, INTEGERS, WIRE, Column
from partitions.fingerprint import Fingerprint, by_name, exact_sum

# PostgreSQL counts from 2000-01-01. Polars wraps around where it has no room, as the driver did: nothing is lost.
_EPOCH_DAYS = pl.lit(10_957, dtype=pl.Int32)
_EPOCH_MICROSECONDS = pl.lit(946_684_800_000_000, dtype=pl.Int64)

_NULL = "ffffffff"  # length -1

# What PostgreSQL puts into quotes within the text of an array.
_QUOTED = r'^$|^(?i:null)$|[ \t\n\r\x0b\x0c"\\{},]'


def fingerprint(frame: pl.DataFrame, columns: Sequence[Column]) -> Fingerprint:
    """Count, sums and digest of a frame that holds `columns`."""
    sums = {column.name: _sum(frame[column.name], column) for column in columns if column.is_summed}
    return Fingerprint(frame.height, _digest(frame, columns), sums)


def _sum(values: pl.Series, column: Column) -> Decimal:
    if column.type in INTEGERS:
        return Decimal(int(values.cast(pl.Int128).sum()))
    return exact_sum([Decimal(text) for text in values.drop_nulls()])


def _digest(frame: pl.DataFrame, columns: Sequence[Column]) -> int:
    fields = [_field(frame[column.name], column) for column in by_name(columns)]
    rows = pl.DataFrame(fields).select(
        pl.concat_str(pl.lit(f"{len(columns):08x}"), pl.all()).str.decode("hex").alias("row")
    )
    hashes = rows.select(plh.col("row").chash.sha2_256().str.head(16).alias("hash"))
    numbers = hashes["hash"].str.to_integer(base=16, dtype=pl.UInt64).reinterpret(signed=True)
    return int(numbers.cast(pl.Int128).sum())


def _field(values: pl.Series, column: Column) -> pl.Series:
    """Each value as hexadecimal digits: number of the type, length, bytes."""
    number, width = WIRE["text" if column.type in AS_TEXT else column.type]
    data = _bytes(values, column).bin.encode("hex")
    length = f"{width:08x}" if width is not None else _big_endian(data.str.len_bytes() // 2, ">i4").bin.encode("hex")
    return (
        pl.select(
            pl.lit(f"{number:08x}") + pl.when(values.is_null()).then(pl.lit(_NULL)).otherwise(pl.lit(length) + data)
        )
        .to_series()
        .alias(column.name)
    )


def _bytes(values: pl.Series, column: Column) -> pl.Series:
    match column.type:
        case "text" | "numeric" | "jsonb" | "bytea":
            return values.cast(pl.Binary)
        case "text[]":
            return _array_text(values).cast(pl.Binary)
        case "date":
            return _big_endian(pl.select(pl.lit(values).to_physical() - _EPOCH_DAYS).to_series(), ">i4")
        case "timestamp with time zone":
            return _big_endian(pl.select(pl.lit(values).to_physical() - _EPOCH_MICROSECONDS).to_series(), ">i8")
        case "real" | "double precision":
            return _big_endian(values, ">f4" if column.type == "real" else ">f8")
        case _:
            return _big_endian(values, f">i{WIRE[column.type][1]}")


def _big_endian(values: pl.Series, form: str) -> pl.Series:
    whole = values.cast(pl.Int8) if values.dtype == pl.Boolean else values
    numbers = np.ascontiguousarray(whole.fill_null(0), form)
    buffers = [None, pa.py_buffer(numbers)]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(numbers.itemsize), len(numbers), buffers)
    return pl.Series(values.name, fixed.cast(pa.binary()), dtype=pl.Binary)


def _array_text(values: pl.Series) -> pl.Series:
    element = pl.element()
    quoted = pl.lit('"') + element.str.replace_all(r'(["\\])', r"\$1") + pl.lit('"')
    shown = pl.when(element.is_null()).then(pl.lit("NULL")).when(element.str.contains(_QUOTED)).then(quoted)
    return pl.select(
        pl.lit("{") + pl.lit(values).list.eval(shown.otherwise(element)).list.join(",") + pl.lit("}")
    ).to_series()
