"""Step 4, clients: what is stored and what arrived -> which versions to change and which to add (SCD type 2).

Pure: frames in, frames out. A version is true from `valid_from` (inclusive) to `valid_to` (exclusive, null for ever).
"""

import polars as pl
import polars_hash as plh

TRACKED = ("customer_segment", "company_size", "risk_level")
LATEST = ("sector", "country_code", "city", "kyc_level", "onboarded_on")
MOMENT = pl.Datetime("us", "UTC")

ATTRIBUTES_SCHEMA: dict[str, pl.DataType] = {
    "customer_segment": pl.String(),
    "company_size": pl.String(),
    "risk_level": pl.String(),
    "sector": pl.String(),
    "country_code": pl.String(),
    "city": pl.String(),
    "kyc_level": pl.Int16(),
    "onboarded_on": pl.Date(),
}
STORED_SCHEMA: dict[str, pl.DataType] = {
    "client_ref": pl.Binary(),
    "client_key": pl.Int32(),
    "durable_key": pl.Int32(),
    **ATTRIBUTES_SCHEMA,
    "valid_from": MOMENT,
    "valid_to": MOMENT,
    "is_inferred": pl.Boolean(),
}
EVENTS_SCHEMA: dict[str, pl.DataType] = {
    "client_ref": pl.Binary(),
    **ATTRIBUTES_SCHEMA,
    "effective_at": MOMENT,
    "seq": pl.Int64(),
}


def merge_history(stored: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The history of the clients that `events` names, after they have been told.

    Versions that are stored keep their `client_key`; the others have none (null). An inferred member is completed in
    place: its key goes to the first version. Of two events of one client and moment the later in `seq` counts, and an
    event counts over a stored version of the same moment. An event that changes no tracked attribute makes no version.

    Args:
        stored: all stored versions of those clients (`STORED_SCHEMA`).
        events: `EVENTS_SCHEMA`.

    Returns:
        `STORED_SCHEMA` plus `is_current` and `attribute_hash`, sorted by client and `valid_from`; of stored versions
        only those that changed.
    """
    known = stored.filter(~pl.col("is_inferred"))
    told = _as_events(known)
    timeline = (
        pl.concat([told, events.with_columns(client_key=pl.lit(None, pl.Int32))], how="diagonal")
        .sort("client_ref", "effective_at", "seq")
        .group_by("client_ref", "effective_at", maintain_order=True)
        .agg(pl.col("client_key").drop_nulls().first(), pl.col(*ATTRIBUTES_SCHEMA).last(), pl.col("seq").last())
    )
    versions = _versions(timeline)
    versions = _complete_inferred(versions, stored.filter("is_inferred"))
    durable = stored.group_by("client_ref").agg(pl.col("durable_key").first())
    versions = versions.join(durable, on="client_ref", how="left", maintain_order="left")
    return _only_changes(versions, stored)


def _as_events(stored: pl.DataFrame) -> pl.DataFrame:
    return stored.select(
        "client_ref",
        "client_key",
        *ATTRIBUTES_SCHEMA,
        pl.col("valid_from").alias("effective_at"),
        pl.lit(-1, pl.Int64).alias("seq"),
    )


def attribute_hash() -> pl.Expr:
    """Hash (Int64) of the tracked attributes; the same text gives the same hash in every version of Cauri."""
    joined = plh.concat_str(*TRACKED, separator="\x1f")
    return joined.nchash.xxhash64().reinterpret(signed=True).alias("attribute_hash")


def _versions(timeline: pl.DataFrame) -> pl.DataFrame:
    """Drop events that change nothing, close each version where the next begins, spread the latest of the others."""
    timeline = timeline.with_columns(attribute_hash())
    changed = pl.col("attribute_hash").ne_missing(pl.col("attribute_hash").shift(1).over("client_ref"))
    timeline = timeline.with_columns(run=changed.cast(pl.Int32).cum_sum().over("client_ref"))
    latest = [pl.col(name).drop_nulls().last().over("client_ref") for name in LATEST]
    timeline = timeline.with_columns(latest)
    # A run of equal versions is one version; but two stored ones stay two, since facts point at both.
    first_key = pl.col("client_key").is_not_null() & (
        pl.col("client_key").is_not_null().cum_sum().over("client_ref", "run") > 1
    )
    timeline = timeline.with_columns(part=first_key.cast(pl.Int32).cum_sum().over("client_ref", "run"))
    return (
        timeline.group_by("client_ref", "run", "part", maintain_order=True)
        .agg(
            pl.col("client_key").drop_nulls().first(),
            pl.col(*ATTRIBUTES_SCHEMA, "attribute_hash").last(),
            pl.col("effective_at").first().alias("valid_from"),
        )
        .with_columns(
            valid_to=pl.col("valid_from").shift(-1).over("client_ref"),
            is_inferred=pl.lit(False),
        )
        .with_columns(is_current=pl.col("valid_to").is_null())
        .drop("run", "part")
    )


def _complete_inferred(versions: pl.DataFrame, inferred: pl.DataFrame) -> pl.DataFrame:
    keys = inferred.select("client_ref", pl.col("client_key").alias("inferred_key"))
    first = pl.int_range(pl.len()).over("client_ref") == 0
    return (
        versions.join(keys, on="client_ref", how="left", maintain_order="left")
        .with_columns(client_key=pl.coalesce("client_key", pl.when(first).then("inferred_key")))
        .drop("inferred_key")
    )


def _only_changes(versions: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    compared = [*ATTRIBUTES_SCHEMA, "valid_from", "valid_to", "is_inferred"]
    before = stored.select("client_key", *(pl.col(name).alias(f"{name}_before") for name in compared))
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in compared)
    return (
        versions.join(before, on="client_key", how="left", maintain_order="left")
        .filter(pl.col("client_key").is_null() | ~same)
        .select(*STORED_SCHEMA, "is_current", "attribute_hash")
    )
