"""Step 4, clients: everything that was told of a client -> its versions (SCD type 2), under the keys that are stored.

Pure: frames in, frames out. A version is true from `valid_from` (inclusive) to `valid_to` (exclusive, null for ever).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import polars_hash as plh

TRACKED = ("customer_segment", "company_size", "risk_level")
LATEST = ("sector", "country_code", "city", "kyc_level", "onboarded_on")
MOMENT = pl.Datetime("us", "UTC")
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)

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
VERSIONS_SCHEMA: dict[str, pl.DataType] = {**STORED_SCHEMA, "is_current": pl.Boolean(), "attribute_hash": pl.Int64()}
EVENTS_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.Int64(),
    "client_ref": pl.Binary(),
    "effective_at": MOMENT,
    "updated_at": MOMENT,
    "is_deleted": pl.Boolean(),
    **ATTRIBUTES_SCHEMA,
}


@dataclass(frozen=True)
class HistoryChange:
    """What has to be done to stored versions.

    `versions` (`VERSIONS_SCHEMA`) are those to add (no `client_key` yet) and those that changed; `removed` are keys
    of versions that are no more.
    """

    versions: pl.DataFrame
    removed: pl.Series


def merge_history(stored: pl.DataFrame, events: pl.DataFrame) -> HistoryChange:
    """What to change in `stored`, so that it is the history that all `events` of its clients tell.

    The history depends on the set of events only; which key a version has depends on what is stored. A stored version
    keeps its key while the version that is true at its begin has no other; the one that holds the durable key always
    does. An inferred member is completed in place: its key goes to the first version.

    Args:
        stored: all stored versions of the clients that `events` names (`STORED_SCHEMA`).
        events: all that was ever told of them (`EVENTS_SCHEMA`).
    """
    versions = told_history(events)
    keys = _kept_keys(stored, versions)
    durable = stored.group_by("client_ref").agg(pl.col("durable_key").first())
    keyed = versions.join(keys, on=["client_ref", "valid_from"], how="left", maintain_order="left").join(
        durable, on="client_ref", how="left", maintain_order="left"
    )
    removed = stored.join(keys, on="client_key", how="anti")["client_key"]
    return HistoryChange(_only_changes(keyed, stored), removed.sort())


def told_history(events: pl.DataFrame) -> pl.DataFrame:
    """The versions that events tell, without keys, sorted by client and `valid_from`.

    Of several events of one client and moment the one with the newest `updated_at` counts, then the one that was told
    last. An event that changes no tracked attribute makes no version. From a deletion to the next other event there
    is no version; a client that never was anything else is an inferred member.
    """
    counting = (
        events.sort("client_ref", "effective_at", "updated_at", "event_id")
        .group_by("client_ref", "effective_at", maintain_order=True)
        .last()
        .with_columns(
            pl.when("is_deleted").then(None).otherwise(pl.col(name)).alias(name) for name in ATTRIBUTES_SCHEMA
        )
        .with_columns(pl.col(name).drop_nulls().last().over("client_ref") for name in LATEST)
        .with_columns(pl.when(~pl.col("is_deleted")).then(attribute_hash()).alias("attribute_hash"))
    )
    changed = pl.col("attribute_hash").ne_missing(pl.col("attribute_hash").shift(1).over("client_ref"))
    versions = (
        counting.with_columns(run=changed.cast(pl.Int32).cum_sum().over("client_ref"))
        .group_by("client_ref", "run", maintain_order=True)
        .agg(
            pl.col(*ATTRIBUTES_SCHEMA, "attribute_hash", "is_deleted").last(),
            pl.col("effective_at").first().alias("valid_from"),
        )
        .with_columns(valid_to=pl.col("valid_from").shift(-1).over("client_ref"), is_inferred=pl.lit(value=False))
        .filter(~pl.col("is_deleted"))
        .with_columns(is_current=pl.col("valid_to").is_null())
    )
    never = events.select(pl.col("client_ref").unique()).join(versions, on="client_ref", how="anti")
    unknown = inferred_versions(never["client_ref"])
    columns = [name for name in VERSIONS_SCHEMA if name not in ("client_key", "durable_key")]
    return pl.concat([versions.select(columns), unknown.select(columns)]).sort("client_ref", "valid_from")


def attribute_hash() -> pl.Expr:
    """Hash (Int64) of the tracked attributes; the same text gives the same hash in every version of Cauri."""
    joined = plh.concat_str(*TRACKED, separator="\x1f")
    return joined.nchash.xxhash64().reinterpret(signed=True).alias("attribute_hash")


def inferred_versions(refs: pl.Series) -> pl.DataFrame:
    """Versions of clients of which nothing is known: attributes unknown, true for ever (`VERSIONS_SCHEMA`)."""
    given = {
        **{name: pl.lit("UNKNOWN") for name in TRACKED},
        "valid_from": pl.lit(LONG_AGO),
        "is_inferred": pl.lit(value=True),
        "is_current": pl.lit(value=True),
    }
    empty = {name: pl.lit(None) for name in VERSIONS_SCHEMA if name not in given}
    versions = (
        refs.alias("client_ref").to_frame().with_columns(**{**empty, **given, "client_ref": pl.col("client_ref")})
    )
    versions = versions.with_columns(attribute_hash())
    return versions.select(pl.col(name).cast(dtype) for name, dtype in VERSIONS_SCHEMA.items())


def covers_from(owner: str) -> pl.Expr:
    """From when facts belong to a version: its begin, but the first of its `owner` also covers what came before.

    The frame is sorted by owner and `valid_from`. Facts of a gap, while the client was deleted, belong to the version
    before it.
    """
    first = pl.int_range(pl.len()).over(owner) == 0
    return pl.when(first).then(LONG_AGO).otherwise("valid_from").cast(MOMENT)


def _kept_keys(stored: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """The key (`client_key`) that a version (`client_ref`, `valid_from`) takes over from what is stored."""
    covering = versions.with_columns(begins=covers_from("client_ref")).select("client_ref", "valid_from", "begins")
    homes = stored.sort("valid_from").join_asof(
        covering.sort("begins"),
        left_on="valid_from",
        right_on="begins",
        by="client_ref",
        suffix="_home",
        check_sortedness=False,
    )
    return (
        homes.sort(
            "client_ref",
            pl.col("client_key") != pl.col("durable_key"),
            pl.col("valid_from") != pl.col("valid_from_home"),
            "valid_from",
        )
        .unique(["client_ref", "valid_from_home"], keep="first", maintain_order=True)
        .select("client_ref", pl.col("valid_from_home").alias("valid_from"), "client_key")
    )


def _only_changes(versions: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    compared = [*ATTRIBUTES_SCHEMA, "valid_from", "valid_to", "is_inferred"]
    before = stored.select("client_key", *(pl.col(name).alias(f"{name}_before") for name in compared))
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in compared)
    return (
        versions.join(before, on="client_key", how="left", maintain_order="left")
        .filter(pl.col("client_key").is_null() | ~same)
        .select(*VERSIONS_SCHEMA)
    )
