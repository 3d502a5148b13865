"""Step 4, beneficiaries: each that a transaction names gets a surrogate key before any fact is loaded.

A large run names more of them than memory has room for with all that is written of them: they are dealt with in parts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.keys import KeyFolder
from engine.members import count_of
from engine.pseudonyms import calling_countries, is_phone, normalised, pseudonyms
from engine.shards import Dictionary
from engine.sift import Sieve
from engine.slices import Slice, read_slices
from warehouse.connection import Connection, connect, sql, translated
from warehouse.copy import copy_frame
from warehouse.errors import LockBusyError
from warehouse.queries import query
from warehouse.snapshot import read_frame

# Each takes some 300 bytes while it is dealt with.
AT_ONCE = 500_000
# Of so many, if there were none, the indexes are built when all of them are written.
MANY = 50_000
COLUMN = "beneficiary_id"

# Later than any day, as a `date_key`.
_NEVER = 99_999_999


def write_beneficiary_keys(url: str, sieve: Sieve, slices: list[Slice], keys: KeyFolder) -> int:
    """Create the beneficiaries that are new, and write the keys of all to the snapshot; return how many were created.

    Works on a connection of its own, so that it can run beside the other dimensions, with which it shares nothing.
    """
    first_days = _first_days(slices, count_of(slices, COLUMN))
    with connect(url, application="cauri beneficiaries") as connection:
        row = connection.execute("SELECT max(beneficiary_key) FROM dwh.dim_beneficiary").fetchone()
        highest = row[0] if row else 0
        book = _Book(connection, url, first_days, highest)
        with connection.transaction(), _indexed_afterwards(connection, 0 if highest else len(first_days)):
            for codes in _parts(sieve.dictionary, len(first_days)):
                members = sieve.dictionary.members(COLUMN, codes)
                refs = pseudonyms(members, "beneficiary", sieve.keyring)
                book.enter(pl.DataFrame({"code": codes, "member": members, "beneficiary_ref": refs}))
            book.see_earlier()
    keys.write(COLUMN, pl.Series(book.keys))
    return book.highest - highest


class _Book:
    """All beneficiaries of a run: their `keys` by code, the `highest` that there is, and first days that moved back.

    Those that are new are written by the `connection`, in its transaction.
    """

    def __init__(self, connection: Connection, url: str, first_days: NDArray[np.int32], highest: int) -> None:
        self.keys = np.zeros(len(first_days), np.int32)
        self.highest = highest
        self._are_some_known = highest > 0
        self._connection, self._url, self._first_days = connection, url, first_days
        self._earlier: list[pl.DataFrame] = []

    def enter(self, members: pl.DataFrame) -> None:
        """Give keys to some (`code`, `member`, `beneficiary_ref`): with each all that have its pseudonym."""
        day = pl.Series(self._first_days[members["code"].to_numpy()])
        members = members.with_columns(first_seen_on=_date(day))
        if self._are_some_known:
            known = members.join(self._stored(members), on="beneficiary_ref")
            self._set(known)
            # An unknown day is no later than any other.
            self._earlier.append(known.filter(pl.col("first_seen_on") < pl.col("stored_first_seen_on")))
            members = members.join(known, on="code", how="anti")
        # Two spellings of one phone number are two codes of one beneficiary: they stand together, the earlier first.
        fresh = members.sort("beneficiary_ref", "first_seen_on", nulls_last=True)
        first = pl.col("beneficiary_ref").ne_missing(pl.col("beneficiary_ref").shift(1))
        fresh = fresh.with_columns(first=first, beneficiary_key=(first.cum_sum() + self.highest).cast(pl.Int32))
        self._set(fresh)
        created = fresh.filter("first")
        if created.height:
            self.highest += created.height
            copy_frame(self._connection, sql.Identifier("dwh", "dim_beneficiary"), _rows(created))

    def see_earlier(self) -> None:
        """Move the first day of known beneficiaries back: rows that come late may be of days before it."""
        earlier = pl.concat(self._earlier) if self._earlier else pl.DataFrame()
        if earlier.is_empty():
            return
        moved = earlier.group_by("beneficiary_key").agg(seen_on=pl.col("first_seen_on").min())
        self._connection.execute(query("dimensions/stage_first_days"))
        copy_frame(self._connection, sql.Identifier("incoming_first_day"), moved)
        self._connection.execute(query("dimensions/update_first_days"))

    def _stored(self, members: pl.DataFrame) -> pl.DataFrame:
        refs = members.select("beneficiary_ref").unique()
        stored = read_frame(self._url, query("dimensions/beneficiary_keys"), matching=refs)
        return stored.rename({"first_seen_on": "stored_first_seen_on"})

    def _set(self, members: pl.DataFrame) -> None:
        self.keys[members["code"].to_numpy()] = members["beneficiary_key"].to_numpy()


def _rows(created: pl.DataFrame) -> pl.DataFrame:
    """Rows of the dimension."""
    values = normalised(created["member"])
    return created.select(
        "beneficiary_ref",
        "beneficiary_key",
        "first_seen_on",
        beneficiary_type=pl.when(is_phone(values)).then(pl.lit("WALLET")).otherwise(pl.lit("ACCOUNT")),
        country_code=calling_countries(values),
    )


def _parts(dictionary: Dictionary, count: int) -> Iterator[pl.Series]:
    """Codes in parts of about `AT_ONCE`; two spellings of one phone number are in the same."""
    parts = 1 + count // AT_ONCE
    if parts == 1:
        yield pl.int_range(count, dtype=pl.UInt32, eager=True)
        return
    part_of = np.empty(count, np.uint16)
    for first in range(0, count, AT_ONCE):
        codes = pl.int_range(first, min(first + AT_ONCE, count), dtype=pl.UInt32, eager=True)
        members = normalised(dictionary.members(COLUMN, codes))
        part_of[first : first + AT_ONCE] = (members.hash() % parts).to_numpy()
    for part in range(parts):
        yield pl.Series(np.flatnonzero(part_of == part).astype(np.uint32))


@contextmanager
def _indexed_afterwards(connection: Connection, created: int) -> Iterator[None]:
    """Without the indexes meanwhile, if many beneficiaries come to none, and nobody reads them just now."""
    aside = created > MANY and _is_alone(connection)
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


def _first_days(slices: list[Slice], members: int) -> NDArray[np.int32]:
    """The first day (`date_key`) of each code below `members`; far ahead if it has none."""
    first = np.full(members, _NEVER, np.int32)
    for piece in slices:
        rows = read_slices([piece], columns=[COLUMN, "date_key"]).drop_nulls()
        # 0.005 us a row; to hash rows into groups takes 0.14.
        np.minimum.at(first, rows[COLUMN].to_numpy(), rows["date_key"].to_numpy())
    return first


def _date(key: pl.Series) -> pl.Series:
    """Dates of `date_key`s; null far ahead."""
    day = pl.date(pl.col("key") // 10_000, pl.col("key") // 100 % 100, pl.col("key") % 100)
    return key.alias("key").to_frame().select(pl.when(pl.col("key") < _NEVER).then(day)).to_series()
