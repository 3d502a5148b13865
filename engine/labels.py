"""Step 4, labels: fraud reports go to `ml.fraud_label`; for one transaction the latest report wins."""

import polars as pl

from engine.duplicates import NEW, judge, repeated_hashes
from engine.outcomes import Verdicts, settle
from engine.shards import FILE_SHIFT
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.queries import query


def with_sequence(rows: pl.DataFrame, file_number: int) -> pl.DataFrame:
    """Good rows of a file of labels, with their place in the order of the run."""
    return rows.select(
        "transaction_id", "is_fraud", "reported_at", pl.col("row_number").add(file_number << FILE_SHIFT).alias("seq")
    )


def store_labels(connection: Connection, labels: pl.DataFrame, run_id: int) -> Verdicts:
    """Write labels (`transaction_id`, `is_fraud`, `reported_at`, `seq`), in the caller's transaction."""
    judged = _judged(labels)
    winners = judged.filter("wins").select(
        "transaction_id", "is_fraud", "reported_at", load_id=pl.lit(run_id, pl.Int32)
    )
    # In the order of the index, which then grows at its end.
    known = _write(connection, winners.sort("transaction_id"))
    return settle(judged.select("transaction_id", "seq", "outcome", "wins"), known)


def _judged(labels: pl.DataFrame) -> pl.DataFrame:
    """Labels with their `outcome` within the run, and whether each `wins`."""
    hashes = labels["transaction_id"].hash()
    # Few transactions have several: to judge a million that have one takes 2 s, to find that out 0.1.
    may_be = hashes.is_in(repeated_hashes(hashes).implode())
    alone = labels.filter(~may_be).with_columns(outcome=pl.lit(NEW), wins=pl.lit(value=True))
    return pl.concat([alone, judge(labels.filter(may_be), "reported_at", ["is_fraud"]).select(alone.columns)])


def _write(connection: Connection, winners: pl.DataFrame) -> pl.DataFrame:
    """Write those that are news; return what the warehouse makes (`verdict`) of those of which it has a label."""
    found = []
    if connection.execute(query("labels/are_there_any")).fetchone() == (False,):
        # A million take 1.1 s this way, and 3 in the other.
        copy_frame(connection, sql.Identifier("ml", "fraud_label"), winners)
    else:
        connection.execute(query("labels/stage"))
        copy_frame(connection, sql.Identifier("incoming_label"), winners)
        connection.execute("ANALYZE incoming_label")
        found = connection.execute(query("labels/judge")).fetchall()
        connection.execute(query("labels/merge"))
    return pl.DataFrame(found, schema={"transaction_id": pl.String, "verdict": pl.String}, orient="row")
