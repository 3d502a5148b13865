"""Step 6, leaves that exist: rows are staged, compared with what is there, and written in one transaction."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from engine.duplicates import judge
from engine.facts import FACT_COLUMNS, exact_sum, facts
from engine.keys import KeyFolder
from engine.outcomes import NO_WINNERS, Verdicts, settle
from engine.slices import Slice, read_slices
from engine.stored import stored_versions
from partitions.coverage import days_by_leaf
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import TargetError
from warehouse.ledger import WorkEntry, record_work
from warehouse.queries import query

PART = "merge"

# What two versions of one moment must agree in to be the same; people and places by their keys, however they are spelt.
CONTENT = (
    "transaction_ts",
    "amount_minor",
    "commission_minor",
    "processing_ms",
    "currency_key",
    "status_key",
    "beneficiary_key",
    "service_key",
    "channel_key",
    "location_key",
    "client_durable_key",
)
JUDGED = ("transaction_id", "seq", "source_updated_at", *CONTENT)
REPLACED = ("transaction_id", "date_key", "client_key", "service_key")

# Before every row of a run.
STORED_SEQ = -1

# Ids are looked up this many at a time: 2 million of them take 200 MB on their way to the server.
ROWS_OFFERED = 2_000_000
OFFERED = ("seq", "date_key", "transaction_id")


def stored_elsewhere(
    connection: Connection, url: str, slices: Sequence[Slice], own_runs: Collection[int]
) -> pl.DataFrame:
    """Rows (`OFFERED`) bound for new leaves whose id a run other than `own_runs` has put into a leaf."""
    foreign = ~pl.col("load_id").is_in(list(own_runs))
    found = []
    for part in _by_rows(slices, ROWS_OFFERED):
        offered = read_slices(part, columns=OFFERED)
        stored = stored_versions(connection, url, offered["transaction_id"].unique())
        found.append(offered.join(stored.filter(foreign), on="transaction_id", how="semi"))
    return pl.concat(found)


def _by_rows(slices: Sequence[Slice], most: int) -> Iterator[list[Slice]]:
    """The slices in groups of about so many rows."""
    group: list[Slice] = []
    for piece in slices:
        group.append(piece)
        if sum(one.rows for one in group) >= most:
            yield group
            group = []
    if group:
        yield group


@dataclass(frozen=True)
class Work:
    """Whose merge it is: the warehouse, this run, and the runs that have worked on the same files."""

    url: str
    work_id: str
    run_id: int
    own_runs: Collection[int]


@dataclass(frozen=True)
class Incoming:
    """What is to be merged: every version that the run has of every id of it.

    `rows` are rows of shards, `built` the `seq` of those that go into a leaf that is built aside.
    """

    rows: pl.DataFrame
    built: pl.Series


def merge(connection: Connection, work: Work, incoming: Incoming, keys: KeyFolder) -> Verdicts:
    """Merge rows into existing leaves, in one transaction; return what became of each.

    A version counts as if everything had come one after the other: what the warehouse holds of an id came first.

    Raises:
        TargetError: an id stands in two leaves, or what was read back is not what was sent; nothing was changed.
    """
    keyed = facts(incoming.rows, keys, work.run_id)
    stored = _stored(connection, work, keyed)
    judged = judge(pl.concat([stored, keyed], how="diagonal").select(*JUDGED), "source_updated_at", CONTENT)
    verdicts = settle(judged.filter(pl.col("seq") != STORED_SEQ), NO_WINNERS)
    written = keyed.join(judged.filter("wins").select("seq"), on="seq", how="semi")
    written = written.filter(~pl.col("seq").is_in(incoming.built.implode()))
    replaced = stored.join(written, on="transaction_id", how="semi").select(REPLACED)
    with connection.transaction():
        connection.execute(query("merge/stage"))
        connection.execute(query("merge/stage_replaced"))
        copy_frame(connection, sql.Identifier("incoming_fact"), written.select(FACT_COLUMNS))
        copy_frame(connection, sql.Identifier("replaced_fact"), replaced)
        connection.execute(query("merge/index_staged"))
        connection.execute("ANALYZE incoming_fact, replaced_fact")
        connection.execute(query("merge/mark_dirty"), {"run_id": work.run_id})
        deleted = _delete(connection, replaced)
        _delete_moved_scores(connection, replaced, written)
        inserted = connection.execute(query("merge/insert")).rowcount
        if (deleted, inserted) != (replaced.height, written.height):
            raise _differs(
                f"{replaced.height} rows to replace, {deleted} found; {written.height} to write, {inserted} written"
            )
        entry = _read_back(connection, written, verdicts)
        record_work(connection, work.work_id, work.run_id, entry)
    return verdicts


def _delete(connection: Connection, replaced: pl.DataFrame) -> int:
    leaves = days_by_leaf(connection, replaced["date_key"].unique())
    return sum(connection.execute(query("merge/delete_replaced"), {"days": days}).rowcount for _, days in leaves)


def _delete_moved_scores(connection: Connection, replaced: pl.DataFrame, written: pl.DataFrame) -> None:
    """A transaction whose day changed has its score in the leaf of the old day: the new one would be a second."""
    days = written.select("transaction_id", new_day="date_key")
    moved = replaced.join(days, on="transaction_id").filter(pl.col("date_key") != pl.col("new_day"))
    for _, within in days_by_leaf(connection, moved["date_key"].unique(), "ml.fraud_score") if moved.height else ():
        ids = moved.filter(pl.col("date_key").is_in(within))["transaction_id"].to_list()
        connection.execute(query("merge/delete_moved_scores"), {"days": within, "ids": ids})


def _stored(connection: Connection, work: Work, keyed: pl.DataFrame) -> pl.DataFrame:
    """The version that the warehouse holds of each id, in the columns and types of `keyed`, before all of the run's."""
    found = stored_versions(connection, work.url, keyed["transaction_id"].unique())
    # A leaf that this very work has built holds versions of the run itself.
    found = found.filter(~pl.col("load_id").is_in(list(work.own_runs)))
    twice = found.height - found["transaction_id"].n_unique()
    if twice:
        raise TargetError(
            f"{twice} transactions stand in more than one leaf; none may",
            remedy="find them by transaction_id with HAVING count(*) > 1, and report this: no load writes such rows",
        )
    typed = found.select(pl.col(name).cast(keyed.schema[name]) for name in found.columns)
    return typed.with_columns(seq=pl.lit(STORED_SEQ, pl.Int64))


def _read_back(connection: Connection, written: pl.DataFrame, verdicts: Verdicts) -> WorkEntry:
    leaves = days_by_leaf(connection, written["date_key"].unique())
    totals = [connection.execute(query("merge/totals"), {"days": days}).fetchone() or () for _, days in leaves]
    found = tuple(sum(int(value) for value in column) for column in zip(*totals, strict=True)) or (0, 0, 0)
    sent = (written.height, exact_sum(written["amount_minor"]), exact_sum(written["commission_minor"]))
    if found != sent:
        raise _differs(f"rows and sums sent {sent}, read back {found}")
    return WorkEntry(PART, "merged", *sent, outcomes=verdicts.to_json())


def _differs(what: str) -> TargetError:
    return TargetError(f"merge: {what}", remedy="nothing was kept; run the load again, and report this if it stays")
