"""Step 4, clients: what was told of them is kept, each thing once, so that history does not depend on when it came."""

from datetime import datetime

import polars as pl

from engine.history import ATTRIBUTES_SCHEMA, EVENTS_SCHEMA, MOMENT
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.queries import query
from warehouse.snapshot import read_frame

# What makes two rows the same event.
CONTENT = [name for name in EVENTS_SCHEMA if name != "event_id"]
# Of what an event tells.
SUBJECT = ["client_ref", "effective_at"]


def known_events(connection: Connection, url: str, refs: pl.DataFrame) -> pl.DataFrame:
    """All events (`EVENTS_SCHEMA`) of the clients in `refs` (`client_ref`)."""
    # A first load does not open the driver for nothing: that takes a tenth of a second and more.
    if connection.execute("SELECT EXISTS (SELECT FROM ops.client_event)").fetchone() == (False,):
        return pl.DataFrame(schema=EVENTS_SCHEMA)
    known = read_frame(url, query("clients/known_events"), matching=refs)
    return known.select(pl.col(name).cast(dtype) for name, dtype in EVENTS_SCHEMA.items())


def news(known: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The rows of `told` that say what nobody said before, each once: the columns `CONTENT`, in the order of `seq`."""
    return (
        told.sort("seq")
        .unique(CONTENT, keep="first", maintain_order=True)
        .join(known, on=CONTENT, how="anti", nulls_equal=True, maintain_order="left")
        .select(CONTENT)
    )


def outcomes(known: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """What becomes of each row of `told` (`CONTENT`, `seq`): the column `outcome` is loaded, updated or repeated.

    The first row of a client and moment is loaded. The same content again is repeated, as is a row that is older than
    one that came before it; other content updates.
    """
    before = known.select(*CONTENT, seq=pl.lit(-1, pl.Int64))
    ordered = pl.concat([before, told.select(*CONTENT, "seq")]).sort(*SUBJECT, "seq")
    newest = pl.col("updated_at").cum_max().shift(1).over(SUBJECT)
    again = pl.int_range(pl.len()).over(CONTENT) > 0
    judged = (
        pl.when(newest.is_null())
        .then(pl.lit("loaded"))
        .when(again | (pl.col("updated_at") < newest))
        .then(pl.lit("repeated"))
        .otherwise(pl.lit("updated"))
    )
    verdicts = ordered.with_columns(outcome=judged).filter(pl.col("seq") >= 0).select("seq", "outcome")
    return told.join(verdicts, on="seq", maintain_order="left")


def remember(connection: Connection, fresh: pl.DataFrame, run_id: int, recorded_at: datetime) -> pl.DataFrame:
    """Store events that are news (`CONTENT`); return them with their numbers (`EVENTS_SCHEMA`)."""
    row = connection.execute("SELECT coalesce(max(event_id), 0) FROM ops.client_event").fetchone()
    assert row is not None
    events = fresh.with_columns(event_id=pl.int_range(pl.len(), dtype=pl.Int64) + row[0] + 1).select(*EVENTS_SCHEMA)
    stored = events.with_columns(run_id=pl.lit(run_id, pl.Int64), recorded_at=pl.lit(recorded_at).cast(MOMENT))
    copy_frame(connection, sql.Identifier("ops", "client_event"), stored)
    return events


def as_events(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the feed, with the defaults that it declares; what a deletion says of attributes does not count."""
    rows = rows.with_columns(
        pl.col("is_deleted").fill_null(value=False), pl.col("updated_at").fill_null(pl.col("effective_at"))
    )
    return rows.with_columns(
        pl.when(~pl.col("is_deleted")).then(pl.col(name)).cast(dtype).alias(name)
        for name, dtype in ATTRIBUTES_SCHEMA.items()
    )
