"""Step 4, members: every identifier that a transaction names gets a surrogate key before any fact is loaded."""

import polars as pl

from engine.client_versions import stored_versions, write_client_versions
from engine.dimensions import infer
from engine.history import inferred_versions
from engine.keys import KeyFolder
from engine.pseudonyms import pseudonyms
from engine.sift import Sieve
from engine.slices import Slice, collect_slices
from warehouse.connection import Connection


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
    return sieve.dictionary.members(column, pl.int_range(count_of(slices, column), dtype=pl.UInt32, eager=True))


def count_of(slices: list[Slice], column: str) -> int:
    """How many codes were given out to the identifiers of a column that rows of these slices have."""
    highest: list[int] = collect_slices(slices, lambda rows: rows.select(pl.col(column).max())).to_series().to_list()
    return max([-1, *(code for code in highest if code is not None)]) + 1


def _client_keys(connection: Connection, url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    members, clock = _named(sieve, slices, "client_id"), sieve.domains.clock
    codes = pl.DataFrame({"client_ref": pseudonyms(members, "client", sieve.keyring)}).with_columns(
        code=pl.int_range(pl.len(), dtype=pl.UInt32)
    )
    stored = stored_versions(connection, url, codes.select(pl.col("client_ref").unique()))
    missing = codes.join(stored, on="client_ref", how="anti")["client_ref"].unique()
    created = write_client_versions(connection, inferred_versions(missing), clock)
    columns = ["client_ref", "client_key", "durable_key", "valid_from"]
    keys.write_clients(pl.concat([stored.select(columns), created.select(columns)]), codes)
    return created.height
