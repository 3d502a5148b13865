"""Surrogate keys in memory: for each code of the run's dictionary its key, as Arrow files that any worker can open."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from engine.history import covers_from

# Columns of a shard -> column of the fact.
KEY_COLUMNS = {
    "service_no": ("service_key", pl.Int16),
    "channel_code": ("channel_key", pl.Int16),
    "location_code": ("location_key", pl.Int32),
    "beneficiary_id": ("beneficiary_key", pl.Int32),
}


@dataclass(frozen=True)
class KeyFolder:
    """The folder that holds the snapshot of a run."""

    path: Path

    def write(self, name: str, keys: pl.Series) -> None:
        """Keys of a dimension; the place of each is the code of its member."""
        keys.alias("key").to_frame().write_ipc(self.path / f"{name}.arrow")

    def write_clients(self, versions: pl.DataFrame, codes: pl.DataFrame) -> None:
        """Keys of clients, from `versions` (keys, `valid_from`, `client_ref`) and `codes` (`client_ref`, `code`)."""
        coded = codes.join(versions, on="client_ref").sort("code", "valid_from")
        single = coded.group_by("code").agg(pl.len(), pl.col("client_key", "durable_key").first())
        keys = codes.join(single, on="code", how="left").sort("code")
        self.write("client_durable", keys["durable_key"])
        self.write("client_id", keys.select(pl.when(pl.col("len") == 1).then("client_key")).to_series())
        several = coded.filter(pl.len().over("code") > 1)
        several = several.with_columns(valid_from=covers_from("code"))
        several.select("code", "valid_from", "client_key").sort("valid_from").write_ipc(
            self.path / "client_versions.arrow"
        )


@lru_cache(maxsize=8)
def _keys(path: Path) -> pl.Series:
    return pl.read_ipc(path)["key"]


@lru_cache(maxsize=8)
def _client_versions(path: Path) -> pl.DataFrame:
    return pl.read_ipc(path)


def resolve(rows: pl.DataFrame, folder: KeyFolder) -> pl.DataFrame:
    """Replace the codes of a shard by surrogate keys; a missing code becomes key 0, the unknown member."""
    keys = [
        pl.lit(_keys(folder.path / f"{code}.arrow").cast(dtype)).gather(pl.col(code)).fill_null(0).alias(key)
        for code, (key, dtype) in KEY_COLUMNS.items()
    ]
    single = pl.lit(_keys(folder.path / "client_id.arrow")).gather(pl.col("client_id")).alias("client_key")
    durable = (
        pl.lit(_keys(folder.path / "client_durable.arrow")).gather(pl.col("client_id")).alias("client_durable_key")
    )
    rows = rows.with_columns(*keys, single, durable)
    if rows["client_key"].null_count():
        rows = _as_of(rows, _client_versions(folder.path / "client_versions.arrow"))
    return rows


def _as_of(rows: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """Clients of several versions get the one that was true at the moment of the transaction."""
    open_rows = rows["client_key"].is_null()
    several = rows.select(pl.col("client_id").alias("code"), "transaction_ts").filter(open_rows)
    found = (
        several.with_row_index("place")
        .sort("transaction_ts")
        .join_asof(
            versions,
            left_on="transaction_ts",
            right_on="valid_from",
            by="code",
            strategy="backward",
            check_sortedness=False,
        )
        .sort("place")
    )
    return rows.with_columns(client_key=rows["client_key"].scatter(open_rows.arg_true(), found["client_key"]))
