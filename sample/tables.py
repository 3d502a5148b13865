"""Canonical text as typed columns, for Parquet."""

from __future__ import annotations

import polars as pl

MOMENT = pl.Datetime("us", "UTC")
TRANSACTIONS: dict[str, pl.DataType] = {
    "transaction_ts": MOMENT,
    "amount": pl.Decimal(18, 3),
    "commission": pl.Decimal(18, 3),
    "processing_ms": pl.Int32(),
    "updated_at": MOMENT,
}


def parsed(frame: pl.DataFrame, types: dict[str, pl.DataType]) -> pl.DataFrame:
    """ISO text under canonical names as columns of these types; an empty text is a missing value."""
    columns = []
    for name in frame.columns:
        column = pl.col(name).cast(pl.String)
        column = pl.when(column != "").then(column)
        dtype = types.get(name, pl.String())
        if isinstance(dtype, pl.Datetime):
            column = column.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.replace_time_zone("UTC")
        elif dtype == pl.Date:
            column = column.str.to_date("%Y-%m-%d")
        columns.append(column.cast(dtype).alias(name))
    return frame.select(columns)
