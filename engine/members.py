"""Step 4, members: every identifier that a transaction names gets a surrogate key before any fact is loaded."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from engine.dimensions import inferred_clients, infer, write_client_versions
from engine.discover import SourceFile
from engine.history import ATTRIBUTES_SCHEMA, EVENTS_SCHEMA, STORED_SCHEMA, merge_history
from engine.keys import KeyFolder
from engine.outcomes import Outcomes
from engine.pseudonyms import calling_countries, is_phone, normalised, pseudonyms
from engine.shards import Dictionary, Slice, read_slices
from engine.vault import IDENTITY, store_identities
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.keyring import Keyring
from warehouse.queries import query
from warehouse.snapshot import read_frame


def store_clients(
    connection: Connection,
    url: str,
    files: Sequence[tuple[SourceFile, Outcomes, pl.DataFrame]],
    *,
    keyring: Keyring,
    clock: datetime,
) -> None:
    """Apply files of client changes to the history of `dim_client` and to the vault, counting what became of each row."""
    events = pl.concat([_events(file, rows, keyring) for file, _, rows in files])
    _count(files, events)
    refs = events.select(pl.col("client_ref").unique())
    stored = _stored_versions(url, refs)
    write_client_versions(connection, merge_history(stored, events.select(*EVENTS_SCHEMA)), clock)
    store_identities(connection, events, keyring)


def _events(file: SourceFile, rows: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    return rows.with_columns(
        pseudonyms(rows["client_id"], "client", keyring).alias("client_ref"),
        pl.col("kyc_level").cast(pl.Int16),
        pl.col("row_number").add(file.number << 40).alias("seq"),
        file_number=pl.lit(file.number),
    ).select(*EVENTS_SCHEMA, *IDENTITY, "file_number")


def _count(files: Sequence[tuple[SourceFile, Outcomes, pl.DataFrame]], events: pl.DataFrame) -> None:
    """The first row of a client and moment is loaded, the same content again repeated, other content updates it."""
    content = pl.struct(*ATTRIBUTES_SCHEMA, *IDENTITY)
    key = ["client_ref", "effective_at"]
    judged = events.sort("seq").with_columns(
        first=pl.int_range(pl.len()).over(key) == 0, same=(content == content.shift(1)).over(key)
    )
    counts = judged.group_by("file_number").agg(
        pl.col("first").sum(), (~pl.col("first") & pl.col("same").fill_null(value=False)).sum().alias("repeated"), pl.len()
    )
    by_file = {row["file_number"]: row for row in counts.iter_rows(named=True)}
    for file, outcomes, _ in files:
        row = by_file.get(file.number, {"first": 0, "repeated": 0, "len": 0})
        outcomes.loaded += row["first"]
        outcomes.repeated += row["repeated"]
        outcomes.updated += row["len"] - row["first"] - row["repeated"]


def _stored_versions(url: str, refs: pl.DataFrame) -> pl.DataFrame:
    stored = read_frame(url, query("dimensions/client_versions"), matching=refs)
    return stored.select(pl.col(name).cast(dtype) for name, dtype in STORED_SCHEMA.items())


def write_keys(
    connection: Connection,
    url: str,
    dictionary: Dictionary,
    slices: list[Slice],
    *,
    keys: KeyFolder,
    keyring: Keyring,
    clock: datetime,
) -> dict[str, int]:
    """Create the members that only transactions know, and write the key of every code to the snapshot.

    Returns:
        How many inferred clients and new beneficiaries were created.
    """
    for feed, column in (("services", "service_id"), ("channels", "channel_code"), ("locations", "location_code")):
        members = dictionary.members(column)
        known = infer(connection, feed, members)
        keys.write(column, members.replace_strict(known, return_dtype=pl.Int32))
    return {
        "inferred_clients": _client_keys(connection, url, dictionary, keys=keys, keyring=keyring, clock=clock),
        "new_beneficiaries": _beneficiary_keys(connection, url, dictionary, slices, keys=keys, keyring=keyring),
    }


def _codes(members: pl.Series, refs: pl.Series, name: str) -> pl.DataFrame:
    return pl.DataFrame({name: refs}).with_columns(pl.int_range(len(members), dtype=pl.UInt32).alias("code"))


def _client_keys(
    connection: Connection, url: str, dictionary: Dictionary, *, keys: KeyFolder, keyring: Keyring, clock: datetime
) -> int:
    members = dictionary.members("client_id")
    codes = _codes(members, pseudonyms(members, "client", keyring), "client_ref")
    stored = _stored_versions(url, codes.select(pl.col("client_ref").unique()))
    missing = codes.join(stored, on="client_ref", how="anti")["client_ref"].unique()
    created = write_client_versions(connection, inferred_clients(missing, clock), clock)
    columns = ["client_ref", "client_key", "valid_from"]
    keys.write_clients(pl.concat([stored.select(columns), created.select(columns)]), codes)
    return created.height


def _beneficiary_keys(
    connection: Connection, url: str, dictionary: Dictionary, slices: list[Slice], *, keys: KeyFolder, keyring: Keyring
) -> int:
    members = dictionary.members("beneficiary_id")
    codes = _codes(members, pseudonyms(members, "beneficiary", keyring), "beneficiary_ref")
    refs = codes.select(pl.col("beneficiary_ref").unique())
    stored = read_frame(url, query("dimensions/beneficiary_keys"), matching=refs)
    missing = codes.join(stored, on="beneficiary_ref", how="anti").unique("beneficiary_ref").sort("beneficiary_ref")
    highest = connection.execute("SELECT max(beneficiary_key) FROM dwh.dim_beneficiary").fetchone()
    first_key = (highest[0] if highest else 0) + 1
    fresh = missing.with_columns(
        (pl.int_range(pl.len()) + first_key).cast(pl.Int32).alias("beneficiary_key"), *_traits(members, missing["code"])
    ).join(_first_seen(slices), on="code", how="left")
    copy_frame(connection, sql.Identifier("dwh", "dim_beneficiary"), fresh.drop("code"))
    columns = ["beneficiary_ref", "beneficiary_key"]
    all_keys = pl.concat([stored.select(columns), fresh.select(columns)])
    keyed = codes.join(all_keys, on="beneficiary_ref", how="left").sort("code")
    keys.write("beneficiary_id", keyed["beneficiary_key"])
    return fresh.height


def _traits(members: pl.Series, codes: pl.Series) -> list[pl.Series]:
    values = normalised(members.gather(codes))
    kinds = is_phone(values).replace_strict({True: "WALLET", False: "ACCOUNT"}, return_dtype=pl.String)
    return [kinds.alias("beneficiary_type"), calling_countries(values).alias("country_code")]


def _first_seen(slices: list[Slice]) -> pl.DataFrame:
    if not slices:
        return pl.DataFrame(schema={"code": pl.UInt32, "first_seen_on": pl.Date})
    day = pl.col("date_key").min().cast(pl.String).str.to_date("%Y%m%d")
    rows = read_slices(slices, ["beneficiary_id", "date_key"]).group_by(pl.col("beneficiary_id").alias("code"))
    return rows.agg(day.alias("first_seen_on")).drop_nulls().collect(engine="streaming")
