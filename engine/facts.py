"""From the rows of a shard to the rows of the fact, and from those to the cells of the daily summary."""

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
CELL = ("client_key", "date_key", "service_key", "currency_key")
# By day first: the refresh of the key figures counts the clients of each day, and then has little left to sort: 0.4 s
# instead of 1.0 s for 2 million cells.
ORDER = ("date_key", "currency_key", "client_key", "service_key")
SUCCESS, FAILED, PENDING, REVERSED = 1, 2, 3, 4


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


def cells(fact: pl.DataFrame) -> pl.DataFrame:
    """Daily summary of fact rows (with `client_durable_key`): one row a day x client x service x currency, sorted."""
    status = pl.col("status_key")
    measured = fact.lazy().select(
        *CELL,
        "client_durable_key",
        "amount_minor",
        "processing_ms",
        "beneficiary_key",
        success=status == SUCCESS,
        failed=status == FAILED,
        pending=status == PENDING,
        reversed=status == REVERSED,
        success_amount=pl.when(status == SUCCESS).then("amount_minor").otherwise(0),
        revenue=pl.when(status == SUCCESS).then("commission_minor").otherwise(0),
        anomalous=pl.col("anomaly_flags") != 0,
    )
    grouped = measured.group_by(CELL).agg(
        pl.col("client_durable_key").first(),
        pl.col("amount_minor").sum(),
        pl.col("success_amount").sum().alias("success_amount_minor"),
        pl.col("revenue").sum().alias("commission_minor"),
        pl.col("processing_ms").cast(pl.Int64).sum().alias("processing_ms_sum"),
        pl.len().cast(pl.Int32).alias("transactions"),
        pl.col("success").sum().cast(pl.Int32).alias("successes"),
        pl.col("failed").sum().cast(pl.Int32).alias("failures"),
        pl.col("pending").sum().cast(pl.Int32).alias("pendings"),
        pl.col("reversed").sum().cast(pl.Int32).alias("reversals"),
        pl.col("processing_ms").count().cast(pl.Int32).alias("processing_ms_count"),
        # Key 0 is the unknown beneficiary, which is nobody.
        (
            pl.col("beneficiary_key").n_unique().cast(pl.Int32) - (pl.col("beneficiary_key").min() == 0).cast(pl.Int32)
        ).alias("distinct_beneficiaries"),
        pl.col("anomalous").sum().cast(pl.Int32).alias("anomalies"),
    )
    return grouped.sort(ORDER).collect()
