"""Step 4, labels: fraud reports go to `ml.fraud_label`; for one transaction the latest report wins."""

import polars as pl

from engine.duplicates import judge
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
    judged = judge(labels, "reported_at", ["is_fraud"])
    winners = judged.filter("wins").select(
        "transaction_id", "is_fraud", "reported_at", load_id=pl.lit(run_id, pl.Int32)
    )
    connection.execute(query("labels/stage"))
    copy_frame(connection, sql.Identifier("incoming_label"), winners)
    connection.execute("ANALYZE incoming_label")
    found = connection.execute(query("labels/judge")).fetchall()
    connection.execute(query("labels/merge"))
    known = pl.DataFrame(found, schema={"transaction_id": pl.String, "verdict": pl.String}, orient="row")
    return settle(judged.select("transaction_id", "seq", "outcome", "wins"), known)
