"""Between steps 3 and 6: one transaction seen several times in the files of a run.

In file order, the first version of an id is new, a newer `updated_at` replaces it, the same content again or an older
version is repeated, and other content under the same `updated_at` is a conflict, which is refused.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from engine.slices import Slice, compact, read_slices

CONTENT = (
    "transaction_ts",
    "amount_minor",
    "commission_minor",
    "processing_ms",
    "currency_key",
    "status_key",
    "client_id",
    "beneficiary_id",
    "service_no",
    "channel_code",
    "location_code",
)
# Ids are looked at in parts of about so many rows: 36 million at once take some 800 MB while they are judged.
ROWS_PER_BUCKET = 20_000_000

NEW, UPDATED, REPEATED, CONFLICT = "new", "updated", "repeated", "conflict"
VERSIONS_SCHEMA = {
    "transaction_id": pl.String,
    "seq": pl.Int64,
    "date_key": pl.Int32,
    "outcome": pl.String,
    "wins": pl.Boolean,
}


def repeated_hashes(hashes: Iterable[pl.Series]) -> pl.Series:
    """Hashes (unsigned integers) that occur more than once."""
    parts = list(hashes)
    if not parts:
        return pl.Series([], dtype=pl.UInt32)
    ordered = pl.concat(parts).sort(in_place=True)
    return ordered.filter((ordered == ordered.shift(1)).fill_null(value=False)).unique()


def versions(slices: list[Slice]) -> pl.DataFrame:
    """All rows of the ids that occur more than once, judged.

    Returns:
        `transaction_id`, `seq`, `date_key`, `outcome` (new, updated, repeated, conflict), `wins` (the row that stays).
    """
    buckets = 1 + sum(piece.rows for piece in slices) // ROWS_PER_BUCKET
    found = [_versions_of(slices, pl.col("id_hash") % buckets == bucket) for bucket in range(buckets)]
    return pl.concat(found)


def _versions_of(slices: list[Slice], in_bucket: pl.Expr) -> pl.DataFrame:
    hashes = repeated_hashes([read_slices(slices, where=in_bucket, columns=["id_hash"]).to_series()])
    if hashes.is_empty():
        return pl.DataFrame(schema=VERSIONS_SCHEMA)
    columns = ["transaction_id", "seq", "date_key", "source_updated_at", *CONTENT]
    suspects = compact(read_slices(slices, where=pl.col("id_hash").is_in(hashes.implode()), columns=columns))
    several = suspects.filter(pl.len().over("transaction_id") > 1)
    return judge(several, "source_updated_at", CONTENT).select(*VERSIONS_SCHEMA)


def judge(rows: pl.DataFrame, version: str, content: Sequence[str]) -> pl.DataFrame:
    """Give each version of each `transaction_id` its `outcome`, in the order of `seq`, and mark the one that `wins`."""
    newest = pl.col(version).cum_max().shift(1).over("transaction_id")
    rows = rows.sort("transaction_id", "seq").with_columns(newest=newest)
    advances = pl.col("newest").is_null() | (pl.col(version) > pl.col("newest"))
    rows = rows.with_columns(advances=advances, place=pl.int_range(pl.len()))
    # The row that holds `newest` when this one arrives.
    holder = pl.when("advances").then("place").forward_fill().over("transaction_id")
    rows = rows.with_columns(holder=holder)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).gather(pl.col("holder"))) for name in content)
    outcome = (
        pl.when(pl.col("newest").is_null())
        .then(pl.lit(NEW))
        .when("advances")
        .then(pl.lit(UPDATED))
        .when((pl.col(version) == pl.col("newest")) & ~same)
        .then(pl.lit(CONFLICT))
        .otherwise(pl.lit(REPEATED))
    )
    last = pl.col("holder").max().over("transaction_id")
    return rows.with_columns(outcome=outcome, wins=pl.col("place") == last)
