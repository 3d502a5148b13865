# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "pandas==3.1.1",
#   "psycopg[binary]==3.3.9",
#   "sqlalchemy==2.1.9",
# ]
# ///
"""pandas `to_sql(method="multi")` into the partitioned table, then the indexes; with `summary`, the daily summary."""

import sys
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, create_engine

from bench.peers.cells import CELL, COUNTS, SUCCESS, SUMS
from bench.peers.indexes import build_indexes, index_summary, leaves_of

# PostgreSQL takes 65,535 parameters a statement at most, and a row has 17; more rows a statement gain nothing.
ROWS_A_STATEMENT = 1_000
DIMENSIONS = {
    "service": "service_id",
    "channel": "channel_code",
    "location": "location_code",
    "status": "status",
    "currency": "currency",
    "beneficiary": "beneficiary_id",
}


def main(url: str, folder: Path, *, summary: bool) -> None:
    """Load a folder."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    tables = {name: pd.read_sql(f"SELECT * FROM peers.{name}", engine) for name in (*DIMENSIONS, "client")}
    rows = _facts(_keyed(_read(folder), tables))
    _write(rows, "fact_transactions", engine)
    build_indexes(url, leaves_of(url))
    if summary:
        _write(_summary(rows, tables["client"]), "fact_daily_client_summary", engine)
        index_summary(url)


def _write(rows: pd.DataFrame, table: str, engine: Engine) -> None:
    rows.to_sql(
        table, engine, schema="dwh", if_exists="append", index=False, method="multi", chunksize=ROWS_A_STATEMENT
    )


def _read(folder: Path) -> pd.DataFrame:
    rows = pd.concat([pd.read_csv(path, dtype=str) for path in sorted(folder.glob("transactions_*.csv"))])
    rows["transaction_ts"] = pd.to_datetime(rows["transaction_ts"], format="%Y-%m-%dT%H:%M:%SZ", utc=True)
    updated = pd.to_datetime(rows["updated_at"], format="%Y-%m-%dT%H:%M:%SZ", utc=True)
    rows["source_updated_at"] = updated.fillna(rows["transaction_ts"])
    for column in ("amount", "commission", "processing_ms"):
        rows[column] = pd.to_numeric(rows[column], errors="coerce")
    rows = rows.dropna(subset=["transaction_id", "transaction_ts", "client_id", "amount"])
    return rows.sort_values("source_updated_at", kind="stable").drop_duplicates("transaction_id", keep="last")


def _keyed(rows: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    for table, column in DIMENSIONS.items():
        rows = rows.merge(tables[table], on=column, how="left")
    rows = rows.dropna(subset=["service_key", "currency_key", "status_key"])
    versions = tables["client"][["client_id", "client_key", "valid_from"]].copy()
    for frame, column in ((rows, "transaction_ts"), (versions, "valid_from")):
        frame[column] = frame[column].astype("datetime64[us, UTC]")
    return pd.merge_asof(
        rows.sort_values("transaction_ts"),
        versions.sort_values("valid_from"),
        left_on="transaction_ts",
        right_on="valid_from",
        by="client_id",
    )


def _facts(rows: pd.DataFrame) -> pd.DataFrame:
    amount = (rows["amount"] * rows["units"]).round().astype("int64")
    commission = (rows["commission"] * rows["units"]).round().fillna(0).astype("int64")
    moment = rows["transaction_ts"]
    wrong = rows["commission"].notna() & ((commission - amount * rows["rate"] / 100).abs() > 1)
    late = rows["source_updated_at"] < moment
    flags = wrong * 1 + (amount == 0) * 2 + (rows["processing_ms"] > 60_000) * 4 + ~rows["is_active"].astype(bool) * 8
    return pd.DataFrame(
        {
            "transaction_ts": moment,
            "source_updated_at": rows["source_updated_at"],
            "amount_minor": amount,
            "commission_minor": commission,
            "date_key": moment.dt.strftime("%Y%m%d").astype("int64"),
            "client_key": rows["client_key"].astype("int64"),
            "location_key": rows["location_key"].fillna(0).astype("int64"),
            "beneficiary_key": rows["beneficiary_key"].fillna(0).astype("int64"),
            "processing_ms": rows["processing_ms"].astype("Int64"),
            "anomaly_flags": flags + late * 16,
            "load_id": 1,
            "time_key": moment.dt.hour * 60 + moment.dt.minute,
            "service_key": rows["service_key"].astype("int64"),
            "channel_key": rows["channel_key"].fillna(0).astype("int64"),
            "currency_key": rows["currency_key"].astype("int64"),
            "status_key": rows["status_key"].astype("int64"),
            "transaction_id": rows["transaction_id"],
        }
    )


def _summary(rows: pd.DataFrame, clients: pd.DataFrame) -> pd.DataFrame:
    status, succeeded = rows["status_key"], rows["status_key"] == SUCCESS
    counted = rows.assign(
        success_amount_minor=rows["amount_minor"] * succeeded,
        commission_minor=rows["commission_minor"] * succeeded,
        processing_ms_sum=rows["processing_ms"].fillna(0),
        processing_ms_count=rows["processing_ms"].notna(),
        transactions=1,
        **{name: status == key for key, name in COUNTS.items()},
        anomalies=rows["anomaly_flags"] != 0,
        known_beneficiary=rows["beneficiary_key"].where(rows["beneficiary_key"] != 0),
    )
    cells = counted.groupby(list(CELL))
    added = cells[list(SUMS)].sum()
    added["distinct_beneficiaries"] = cells["known_beneficiary"].nunique()
    durable = clients[["client_key", "durable_key"]].rename(columns={"durable_key": "client_durable_key"})
    return added.reset_index().merge(durable, on="client_key")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), summary="summary" in sys.argv[3:])
