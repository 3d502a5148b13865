"""Scores for every transaction of a warehouse, made from the ids: what dashboards read, without a model."""

from datetime import UTC, datetime

import polars as pl

from ml.fraud.rows import rows_by_day
from ml.fraud.scores import Work, leaves_of, write_scores
from partitions.grain import date_key
from partitions.policy import read_policies
from warehouse.connection import connect
from warehouse.ledger import close_run, open_run
from warehouse.lock import single_writer
from warehouse.snapshot import reader

# Shares of the transactions: five in a thousand are alerts, about as many as an officer of each country can look at.
REVIEWED, BLOCKED = 0.003, 0.002
_IDS = "SELECT transaction_id, date_key FROM dwh.fact_transactions WHERE date_key BETWEEN $1 AND $2"


def invent_scores(url: str) -> int:
    """Score every transaction; return how many there are. Each leaf is a transaction."""
    clock, work_id, rows = datetime.now(UTC), "invented scores", 0
    with single_writer(url) as lock, connect(url) as connection, reader(url) as one:
        run_id = open_run(connection, "fraud score", work_id, clock)
        lock.lead(run_id)
        days = [date_key(day) for day in sorted(rows_by_day(connection))]
        for leaf in leaves_of(connection, read_policies(), days, "UTC"):
            scores = _scores(one.read(_IDS, [min(leaf.days), max(leaf.days)]), clock)
            write_scores(Work(connection, run_id, work_id), leaf, scores, whole=True)
            rows += scores.height
        close_run(connection, run_id, "done", {})
        connection.execute("ANALYZE ml.fraud_score")
    return rows


def _scores(rows: pl.DataFrame, clock: datetime) -> pl.DataFrame:
    score = pl.col("fraud_score")
    return rows.with_columns(fraud_score=pl.col("transaction_id").hash(seed=1) / 2.0**64).with_columns(
        scored_at=pl.lit(clock, pl.Datetime("us", "UTC")),
        model_version=pl.lit("invented"),
        band=pl.when(score >= 1 - BLOCKED)
        .then(pl.lit("block"))
        .when(score >= 1 - BLOCKED - REVIEWED)
        .then(pl.lit("review"))
        .otherwise(pl.lit("allow")),
        reasons=pl.lit([], pl.List(pl.String)),
    )
