"""Step 4, members: every identifier that a transaction names gets a surrogate key before any fact is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl

from engine.client_versions import stored_versions, write_client_versions
from engine.dimensions import infer
from engine.history import inferred_versions
from engine.keys import KeyFolder
from engine.pseudonyms import calling_countries, is_phone, normalised, pseudonyms
from engine.sift import Sieve
from engine.slices import Slice, collect_slices, read_slices
from warehouse.connection import Connection, connect, sql, translated
from warehouse.copy import copy_frame
from warehouse.errors import LockBusyError
from warehouse.queries import query
from warehouse.snapshot import read_frame

CREATED_AT_ONCE = 500_000
# Of so many, and more than there are, the indexes are built when all of them are written.
MANY = 50_000
# Later than any day, as a `date_key`.
_NEVER = 99_999_999


def write_keys(connection: Connection, url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    """Create the clients, channels and places that only transactions know; write the keys of all to the snapshot.

    Returns:
        How many inferred clients were created.
    """
    services = infer(connection, "services", pl.Series([], dtype=pl.String))
    keys.write("service_no", sieve.domains.services["service_id"].replace_strict(services, return_dtype=pl.Int32))
    for feed, column in (("channels", "channel_code"), ("locations", "location_code")):
        members = _named(sieve, slices, column)
        known = infer(connection, feed, members)
        keys.write(column, members.replace_strict(known, return_dtype=pl.Int32))
    return _client_keys(connection, url, sieve, slices, keys)


def _named(sieve: Sieve, slices: list[Slice], column: str) -> pl.Series:
    """All identifiers of a column, in the order of their codes."""
    codes = [-1, *collect_slices(slices, lambda rows: rows.select(pl.col(column).max())).to_series().drop_nulls()]
    return sieve.dictionary.members(column, max(codes) + 1)


def _codes(members: pl.Series, refs: pl.Series, name: str) -> pl.DataFrame:
    return pl.DataFrame({name: refs}).with_columns(pl.int_range(len(members), dtype=pl.UInt32).alias("code"))


def _client_keys(connection: Connection, url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    members, clock = _named(sieve, slices, "client_id"), sieve.domains.clock
    codes = _codes(members, pseudonyms(members, "client", sieve.keyring), "client_ref")
    stored = stored_versions(connection, url, codes.select(pl.col("client_ref").unique()))
    missing = codes.join(stored, on="client_ref", how="anti")["client_ref"].unique()
    created = write_client_versions(connection, inferred_versions(missing), clock)
    columns = ["client_ref", "client_key", "durable_key", "valid_from"]
    keys.write_clients(pl.concat([stored.select(columns), created.select(columns)]), codes)
    return created.height


def write_beneficiary_keys(url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    """Create the beneficiaries that are new, and write the keys of all to the snapshot; return how many were created.

    Works on a connection of its own, so that it can run beside the other dimensions, with which it shares nothing.
    """
    with connect(url, application="cauri beneficiaries") as connection:
        return _beneficiary_keys(connection, url, sieve, slices, keys)


def _beneficiary_keys(connection: Connection, url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    members = _named(sieve, slices, "beneficiary_id")
    codes = _codes(members, pseudonyms(members, "beneficiary", sieve.keyring), "beneficiary_ref")
    row = connection.execute("SELECT max(beneficiary_key) FROM dwh.dim_beneficiary").fetchone()
    highest = row[0] if row else 0
    stored = pl.DataFrame(schema={"beneficiary_ref": pl.Binary, "beneficiary_key": pl.Int32, "first_seen_on": pl.Date})
    if highest:
        stored = read_frame(
            url, query("dimensions/beneficiary_keys"), matching=codes.select("beneficiary_ref").unique()
        )
    codes = codes.join(stored, on="beneficiary_ref", how="left")
    first_seen = _first_seen(slices, len(members))
    _see_earlier(connection, codes, first_seen)
    codes = codes.drop("first_seen_on")
    # Two spellings of one phone number are two codes of one beneficiary: they stand together, and the first counts.
    fresh = codes.filter(pl.col("beneficiary_key").is_null()).sort("beneficiary_ref", "code")
    first = pl.col("beneficiary_ref").ne_missing(pl.col("beneficiary_ref").shift(1))
    fresh = fresh.with_columns(first=first).with_columns(
        beneficiary_key=(pl.col("first").cum_sum() + highest).cast(pl.Int32)
    )
    _create_beneficiaries(connection, fresh.filter("first").drop("first"), members, first_seen)
    known = codes.filter(pl.col("beneficiary_key").is_not_null()).select("code", "beneficiary_key")
    all_keys = pl.concat([known, fresh.select("code", "beneficiary_key")])
    keys.write("beneficiary_id", all_keys.sort("code")["beneficiary_key"])
    return int(fresh["first"].sum())


def _create_beneficiaries(
    connection: Connection, created: pl.DataFrame, members: pl.Series, first_seen: pl.DataFrame
) -> None:
    """Write new beneficiaries (`beneficiary_ref`, `beneficiary_key`, `code`), all or none, in parts to save memory."""
    with connection.transaction(), _indexed_afterwards(connection, created):
        for part in created.iter_slices(CREATED_AT_ONCE):
            complete = part.with_columns(_traits(members, part["code"])).join(first_seen, on="code", how="left")
            copy_frame(connection, sql.Identifier("dwh", "dim_beneficiary"), complete.drop("code"))


@contextmanager
def _indexed_afterwards(connection: Connection, created: pl.DataFrame) -> Iterator[None]:
    """Without the indexes meanwhile, if most beneficiaries will be new and nobody reads them just now."""
    aside = created.height > MANY and created["beneficiary_key"][0] <= created.height and _is_alone(connection)
    if aside:
        connection.execute(query("dimensions/drop_beneficiary_keys"))
    yield
    if aside:
        connection.execute(query("dimensions/add_beneficiary_keys"))


def _is_alone(connection: Connection) -> bool:
    try:
        with translated(), connection.transaction():
            connection.execute(query("dimensions/lock_beneficiaries"))
    except LockBusyError:
        return False
    return True


def _see_earlier(connection: Connection, codes: pl.DataFrame, first_seen: pl.DataFrame) -> None:
    """Move the first day of known beneficiaries back: rows that come late may be of days before it."""
    earlier = (
        codes.drop_nulls("beneficiary_key")
        .join(first_seen.rename({"first_seen_on": "seen_on"}), on="code")
        # An unknown day is no later than any other.
        .filter(pl.col("seen_on") < pl.col("first_seen_on"))
        .group_by("beneficiary_key")
        .agg(pl.col("seen_on").min())
    )
    if earlier.is_empty():
        return
    with connection.transaction():
        connection.execute(query("dimensions/stage_first_days"))
        copy_frame(connection, sql.Identifier("incoming_first_day"), earlier)
        connection.execute(query("dimensions/update_first_days"))


def _traits(members: pl.Series, codes: pl.Series) -> list[pl.Series]:
    values = normalised(members.gather(codes))
    kinds = is_phone(values).replace_strict({True: "WALLET", False: "ACCOUNT"}, return_dtype=pl.String)
    return [kinds.alias("beneficiary_type"), calling_countries(values).alias("country_code")]


def _first_seen(slices: list[Slice], members: int) -> pl.DataFrame:
    """The first day (`first_seen_on`) of each code below `members` that has one."""
    first = np.full(members, _NEVER, np.int32)
    for piece in slices:
        rows = read_slices([piece], columns=["beneficiary_id", "date_key"]).drop_nulls()
        # 0.005 us a row; to hash rows into groups takes 0.14.
        np.minimum.at(first, rows["beneficiary_id"].to_numpy(), rows["date_key"].to_numpy())
    key = pl.col("key")
    return (
        pl.DataFrame({"code": np.arange(members, dtype=np.uint32), "key": first})
        .filter(key < _NEVER)
        .select("code", first_seen_on=pl.date(key // 10_000, key // 100 % 100, key % 100))
    )
