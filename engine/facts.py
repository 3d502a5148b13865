"""From the rows of a shard to the rows of the fact."""

import polars as pl

from engine.keys import KeyFolder, resolve
from warehouse.errors import TargetError

FACT_COLUMNS = (
    "transaction_ts",
    "source_updated_at",
    "amount_minor",
    "commission_minor",
    "date_key",
    "client_key",
    "location_key",
    "beneficiary_key",
    "processing_ms",
    "anomaly_flags",
    "load_id",
    "time_key",
    "service_key",
    "channel_key",
    "currency_key",
    "status_key",
    "transaction_id",
)


def facts(rows: pl.DataFrame, keys: KeyFolder, load_id: int) -> pl.DataFrame:
    """Rows of a shard with surrogate keys; other columns of the shard (`seq`, codes) are still there.

    Raises:
        TargetError: a row has no key: the snapshot does not belong to these shards.
    """
    keyed = resolve(rows, keys).with_columns(load_id=pl.lit(load_id, pl.Int32))
    orphans = keyed.select(pl.col("client_key", "service_key", "location_key").null_count()).sum_horizontal().item()
    if orphans:
        raise TargetError(f"{orphans} rows have no surrogate key", remedy="run the load again; report this if it stays")
    return keyed


def exact_sum(values: pl.Series) -> int:
    """Sum of whole numbers, however large: Polars adds 64-bit integers in 64 bits, and wraps."""
    return int(values.cast(pl.Int128).sum())
