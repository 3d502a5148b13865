"""The parts of a load, each alone: read and type the files, encode rows, send ready-made bytes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
from pgpq import ArrowToPostgresBinaryEncoder

from bench.peers.indexes import STREAMS, leaves_of
from engine.facts import FACT_COLUMNS
from warehouse.connection import connect, sql
from warehouse.copy import ROWS_PER_BATCH
from warehouse.snapshot import read_frame

MOMENT = "%Y-%m-%dT%H:%M:%SZ"
# PostgreSQL's binary format counts from 2000-01-01.
EPOCH_MICROSECONDS = 946_684_800_000_000
Frames = dict[str, pl.DataFrame]
Encoded = dict[str, list[bytes]]


def read_leaves(url: str) -> Frames:
    """Final rows, a frame a leaf, as step 6 encodes them."""
    moments = pl.col("transaction_ts", "source_updated_at").dt.cast_time_unit("us").dt.convert_time_zone("UTC")
    select = sql.SQL("SELECT {} FROM {}")
    columns = sql.SQL(", ").join(map(sql.Identifier, FACT_COLUMNS))
    return {
        leaf: read_frame(url, select.format(columns, sql.Identifier(schema, leaf)).as_string()).with_columns(moments)
        for schema, leaf in leaves_of(url)
    }


def parse_all(folder: Path, form: str) -> None:
    """Text to typed columns, by Polars, with all its threads; the rows are thrown away."""
    if form == "parquet":
        files = pl.scan_parquet(folder / "transactions_*.parquet")
    else:
        files = pl.scan_csv(folder / "transactions_*.csv", infer_schema=False)
    types = files.collect_schema()
    moments = [name for name in ("transaction_ts", "updated_at") if types[name] == pl.String]
    money = [name for name in ("amount", "commission") if types[name] == pl.String]
    typed = files.with_columns(
        *(pl.col(name).str.to_datetime(MOMENT, time_unit="us", strict=False) for name in moments),
        *(pl.col(name).cast(pl.Decimal(20, 4), strict=False) for name in money),
        pl.col("processing_ms").cast(pl.Int32, strict=False),
    )
    typed.select(pl.all().count()).collect(engine="streaming")


def encode_all(frames: Frames) -> Encoded:
    """Rows in PostgreSQL's binary format, two leaves at a time."""
    with ThreadPoolExecutor(STREAMS) as pool:
        return dict(zip(frames, pool.map(_binary, frames.values()), strict=True))


def _binary(frame: pl.DataFrame) -> list[bytes]:
    shifted = frame.with_columns(pl.col("transaction_ts", "source_updated_at").to_physical() - EPOCH_MICROSECONDS)
    table = shifted.to_arrow(compat_level=pl.CompatLevel.oldest())
    encoder = ArrowToPostgresBinaryEncoder(table.schema)
    batches = table.to_batches(max_chunksize=ROWS_PER_BATCH)
    return [encoder.write_header(), *(encoder.write_batch(batch) for batch in batches), encoder.finish()]


def copy_all(url: str, encoded: Encoded, streams: int) -> None:
    """Send every leaf, so many at a time, to a new table without indexes in the schema `public`."""
    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(lambda leaf: _copy_leaf(url, leaf, encoded[leaf]), encoded))


def _copy_leaf(url: str, leaf: str, blocks: list[bytes]) -> None:
    table = sql.Identifier("public", leaf)
    columns = sql.SQL(", ").join(map(sql.Identifier, FACT_COLUMNS))
    with connect(url) as connection, connection.transaction():
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE dwh.fact_transactions)").format(table))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE)").format(table, columns)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in blocks:
                copy.write(block)
