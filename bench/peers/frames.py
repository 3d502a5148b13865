"""The rows of the target as a Polars frame, for the peers that write frames. Needs Polars and ADBC alone."""

from pathlib import Path

import polars as pl

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_REQUIRED = ("transaction_id", "transaction_ts", "client_id", "amount")
_DIMENSIONS = {
    "service": "service_id",
    "channel": "channel_code",
    "location": "location_code",
    "status": "status",
    "currency": "currency",
    "beneficiary": "beneficiary_id",
}


def keyed_rows(url: str, folder: Path) -> pl.DataFrame:
    """Read, check, deduplicate and key the transactions of a folder, as a Polars user would."""
    rows = _read(folder)
    for table, column in _DIMENSIONS.items():
        # Keys in place of the strings, before the next join drags them along.
        rows = rows.join(_table(url, table), on=column, how="left").drop(column)
    rows = rows.filter(pl.all_horizontal(pl.col("service_key", "currency_key", "status_key").is_not_null()))
    rows = _with_clients(rows, _table(url, "client")).with_columns(
        amount_minor=(pl.col("amount") * pl.col("units")).cast(pl.Int64),
        commission_minor=(pl.col("commission") * pl.col("units")).cast(pl.Int64).fill_null(0),
    )
    return rows.select(
        "transaction_ts",
        "source_updated_at",
        "amount_minor",
        "commission_minor",
        pl.col("transaction_ts").dt.strftime("%Y%m%d").cast(pl.Int32).alias("date_key"),
        pl.col("client_key").cast(pl.Int32),
        pl.col("location_key").fill_null(0).cast(pl.Int32),
        pl.col("beneficiary_key").fill_null(0).cast(pl.Int32),
        pl.col("processing_ms").cast(pl.Int32),
        _anomalies().alias("anomaly_flags"),
        pl.lit(1, pl.Int32).alias("load_id"),
        (pl.col("transaction_ts").dt.hour().cast(pl.Int16) * 60 + pl.col("transaction_ts").dt.minute()).alias(
            "time_key"
        ),
        pl.col("service_key").cast(pl.Int16),
        pl.col("channel_key").fill_null(0).cast(pl.Int16),
        pl.col("currency_key").cast(pl.Int16),
        pl.col("status_key").cast(pl.Int16),
        "transaction_id",
    )


def _read(folder: Path) -> pl.DataFrame:
    text = pl.scan_csv(folder / "transactions_*.csv", infer_schema=False)
    moment = pl.col("transaction_ts").str.to_datetime(_MOMENT, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    updated = pl.col("updated_at").str.to_datetime(_MOMENT, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    decimal = pl.Decimal(20, 4)
    typed = text.with_columns(
        moment,
        updated.fill_null(moment).alias("source_updated_at"),
        pl.col("amount", "commission").cast(decimal, strict=False),
        pl.col("processing_ms").cast(pl.Int64, strict=False),
    ).drop("updated_at")
    good = typed.filter(pl.all_horizontal(pl.col(_REQUIRED).is_not_null()))
    return good.sort("source_updated_at", maintain_order=True).unique("transaction_id", keep="last").collect()


def _with_clients(rows: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    versions = versions.drop("valid_to").sort("valid_from")
    return rows.sort("transaction_ts").join_asof(
        versions, left_on="transaction_ts", right_on="valid_from", by="client_id", check_sortedness=False
    )


def _anomalies() -> pl.Expr:
    expected = pl.col("amount_minor") * pl.col("rate") / 100
    wrong = pl.col("commission").is_not_null() & ((pl.col("commission_minor") - expected).abs() > 1)
    flags = {
        1: wrong,
        2: pl.col("amount_minor") == 0,
        4: (pl.col("processing_ms") > 60_000).fill_null(value=False),
        8: ~pl.col("is_active"),
        16: pl.col("source_updated_at") < pl.col("transaction_ts"),
    }
    return pl.sum_horizontal(flag.cast(pl.Int32) * bit for bit, flag in flags.items())


def _table(url: str, name: str) -> pl.DataFrame:
    return pl.read_database_uri(f"SELECT * FROM peers.{name}", url, engine="adbc")
