"""Step 4, clients: their versions as they stand in `dim_client`, read and written."""

from datetime import datetime

import polars as pl

from engine.history import MOMENT, STORED_SCHEMA
from engine.pseudonyms import readable_code
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.queries import query
from warehouse.snapshot import read_frame


def stored_versions(connection: Connection, url: str, refs: pl.DataFrame) -> pl.DataFrame:
    """All versions (`STORED_SCHEMA`) of the clients in `refs` (`client_ref`)."""
    if connection.execute("SELECT EXISTS (SELECT FROM dwh.dim_client WHERE client_key > 0)").fetchone() == (False,):
        return pl.DataFrame(schema=STORED_SCHEMA)
    stored = read_frame(url, query("dimensions/client_versions"), matching=refs)
    return stored.select(pl.col(name).cast(dtype) for name, dtype in STORED_SCHEMA.items())


def write_client_versions(
    connection: Connection, versions: pl.DataFrame, recorded_at: datetime, removed: pl.Series | None = None
) -> pl.DataFrame:
    """Store new and changed versions of clients; new ones get the next keys, in the order of client and time.

    Returns:
        The same versions with all keys.
    """
    highest = connection.execute(query("dimensions/highest_client_key")).fetchone()
    next_key = (highest[0] if highest else 0) + 1
    numbered = versions.sort("client_ref", "valid_from").with_columns(
        fresh=pl.col("client_key").is_null(),
        client_key=pl.coalesce("client_key", next_key + pl.col("client_key").is_null().cum_sum() - 1).cast(pl.Int32),
    )
    codes = numbered["client_ref"].map_elements(readable_code, return_dtype=pl.String)
    numbered = numbered.with_columns(
        durable_key=pl.coalesce("durable_key", pl.col("client_key").min().over("client_ref")).cast(pl.Int32)
    )
    complete = numbered.with_columns(client_code=codes, recorded_at=pl.lit(recorded_at).cast(MOMENT))
    changed, fresh = complete.filter(~pl.col("fresh")), complete.filter("fresh")
    # In this order: a version may take over the begin of one that is removed, a new one may become the current one.
    if removed is not None and len(removed):
        connection.execute(query("dimensions/delete_client_versions"), (removed.to_list(),))
    if changed.height:
        connection.execute(query("dimensions/stage_client_versions"))
        copy_frame(connection, sql.Identifier("client_version"), changed.drop("fresh"))
        connection.execute(query("dimensions/update_client_versions"))
    if fresh.height:
        copy_frame(connection, sql.Identifier("dwh", "dim_client"), fresh.drop("fresh"))
    return numbered.drop("fresh")
