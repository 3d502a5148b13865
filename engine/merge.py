"""Step 6, leaves that exist: rows are staged, compared with what is there, and written in one transaction."""

from collections.abc import Collection, Iterator, Sequence

import polars as pl

from engine.facts import FACT_COLUMNS, facts
from engine.keys import KeyFolder
from engine.outcomes import Verdicts, settle
from engine.slices import Slice, read_slices
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import TargetError
from warehouse.ledger import WorkEntry, record_work
from warehouse.queries import query
from warehouse.snapshot import read_frame

PART = "merge"

# Ids are looked up this many at a time: 2 million of them take 200 MB on their way to the server.
ROWS_OFFERED = 2_000_000


def stored_elsewhere(url: str, slices: Sequence[Slice], own_runs: Collection[int]) -> pl.DataFrame:
    """Rows (`seq`, `transaction_id`) bound for new leaves whose id a run other than `own_runs` has put into a leaf."""
    found = []
    for part in _by_rows(slices, ROWS_OFFERED):
        offered = read_slices(part, columns=["seq", "transaction_id"])
        found.append(read_frame(url, query("merge/stored_ids"), matching=offered))
    foreign = ~pl.col("load_id").is_in(list(own_runs))
    return pl.concat(found).filter(foreign).select("seq", "transaction_id")


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


def merge(
    connection: Connection, rows: pl.DataFrame, versions: pl.DataFrame, *, keys: KeyFolder, run_id: int, work_id: str
) -> Verdicts:
    """Merge rows of shards, one version an id, into existing leaves; return the final outcomes of all their versions.

    Args:
        rows: columns of a shard; of ids that came several times only the version that won.
        versions: the judged versions (`duplicates.judge`) of ids that came several times.
    """
    fact = facts(rows, keys, run_id).select("seq", *FACT_COLUMNS)
    with connection.transaction():
        connection.execute(query("merge/stage"))
        copy_frame(connection, sql.Identifier("incoming_fact"), fact)
        connection.execute("ANALYZE incoming_fact")
        connection.execute(query("merge/judge"))
        connection.execute(query("merge/mark_dirty"), {"run_id": run_id})
        connection.execute(query("merge/delete_replaced"))
        inserted = connection.execute(query("merge/insert")).rowcount
        verdicts = _verdicts(connection, rows, versions)
        entry = _verified(connection, inserted, verdicts)
        record_work(connection, work_id, run_id, entry)
    return verdicts


def _verdicts(connection: Connection, rows: pl.DataFrame, versions: pl.DataFrame) -> Verdicts:
    found = connection.execute("SELECT transaction_id, verdict FROM incoming_verdict").fetchall()
    winners = pl.DataFrame(found, schema={"transaction_id": pl.String, "verdict": pl.String}, orient="row")
    single = rows.join(versions, on="transaction_id", how="anti").select(
        "transaction_id", "seq", pl.lit("new").alias("outcome"), pl.lit(value=True).alias("wins")
    )
    several = versions.join(rows, on="transaction_id", how="semi").select(single.columns)
    return settle(pl.concat([single, several]), winners)


def _verified(connection: Connection, inserted: int, verdicts: Verdicts) -> WorkEntry:
    row = connection.execute(query("merge/totals")).fetchone()
    assert row is not None
    expected, rows, amount, commission = row
    if not inserted == expected == rows:
        raise TargetError(
            f"merge: {expected} rows to write, {inserted} written, {rows} read back",
            remedy="nothing was kept; run the load again, and report this if it stays",
        )
    return WorkEntry(PART, "merged", rows, int(amount), int(commission), outcomes=verdicts.to_json())
