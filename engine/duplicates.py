"""Between steps 3 and 6: one transaction seen several times in the files of a run.

In file order, the first version of an id is new, a newer `updated_at` replaces it, the same content again or an older
version is repeated, and other content under the same `updated_at` is a conflict, which is refused.

Ids are compared by their hashes first, for few are there twice; what is read of those that may be is held in parts.
"""

from collections.abc import Iterator, Sequence

import numpy as np
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
# Hashes are looked at in buckets of about so many, which take 320 MB while they are sorted.
ROWS_PER_BUCKET = 40_000_000
# Those that are looked for are marked by so many low bits, fewer in a small run: 64 MiB of marks.
MOST_BITS = 26
# So many rows are judged at a time: with what that takes they are about 150 MB.
ROWS_JUDGED = 500_000

NEW, UPDATED, REPEATED, CONFLICT = "new", "updated", "repeated", "conflict"
VERSIONS_SCHEMA = {
    "transaction_id": pl.String,
    "seq": pl.Int64,
    "date_key": pl.Int32,
    "outcome": pl.String,
    "wins": pl.Boolean,
}


def versions(slices: Sequence[Slice]) -> pl.DataFrame:
    """All rows of the ids that occur more than once, judged.

    Returns:
        `transaction_id`, `seq`, `date_key`, `outcome` (new, updated, repeated, conflict), `wins` (the row that stays).
    """
    repeated = pl.concat(repeated_hashes(bucket) for bucket in _hashes(slices))
    if repeated.is_empty():
        return pl.DataFrame(schema=VERSIONS_SCHEMA)
    rows = _gathered(slices, _several(_suspects(slices, repeated)))
    several = (part.filter(pl.len().over("transaction_id") > 1) for part in _in_parts(rows))
    return pl.concat(judge(part, "source_updated_at", CONTENT).select(*VERSIONS_SCHEMA) for part in several)


def _hashes(slices: Sequence[Slice]) -> Iterator[pl.Series]:
    """The hashes of all ids, in buckets."""
    buckets = 1 + sum(piece.rows for piece in slices) // ROWS_PER_BUCKET
    for bucket in range(buckets):
        in_bucket = pl.col("id_hash") % buckets == bucket if buckets > 1 else None
        yield read_slices(slices, where=in_bucket, columns=["id_hash"]).to_series()


def repeated_hashes(hashes: pl.Series) -> pl.Series:
    """Those hashes (unsigned integers) that occur more than once."""
    ordered = hashes.to_numpy(writable=True)
    ordered.sort()
    return pl.Series(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))


def _suspects(slices: Sequence[Slice], hashes: pl.Series) -> pl.DataFrame:
    """Rows that may have one of these hashes: `place` in which `slice`, and a hash of the id of 64 bits, `id_hash`."""
    # Looked up by its end, a hash takes 0.01 us, and few others end like it; Polars takes 0.2 us to look up the whole.
    bits = min(sum(piece.rows for piece in slices).bit_length(), MOST_BITS)
    low, marked = (1 << bits) - 1, np.zeros(1 << bits, bool)
    marked[hashes.to_numpy() & low] = True
    found = []
    for number, piece in enumerate(slices):
        rows = read_slices([piece], columns=["id_hash", "transaction_id"]).with_row_index("place")
        may_be = rows.filter(pl.Series(marked[rows["id_hash"].to_numpy() & low]))
        id_hash = pl.col("transaction_id").hash().alias("id_hash")
        found.append(may_be.select("place", id_hash, slice=pl.lit(number, pl.UInt32)))
    return pl.concat(found)


def _several(suspects: pl.DataFrame) -> pl.DataFrame:
    """Those whose id others have, too: most ids of 36 million rows share no more than 32 bits."""
    repeated = repeated_hashes(suspects["id_hash"])
    return suspects.join(repeated.to_frame("id_hash"), on="id_hash", how="semi")


def _in_parts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows with `id_hash` in parts of about `ROWS_JUDGED`; those of an id stay together."""
    parts = 1 + rows.height // ROWS_JUDGED
    return (rows.filter(pl.col("id_hash") % parts == part) for part in range(parts))


def _gathered(slices: Sequence[Slice], rows: pl.DataFrame) -> pl.DataFrame:
    """What is judged of rows (`place` in which `slice`)."""
    columns = ["id_hash", "transaction_id", "seq", "date_key", "source_updated_at", *CONTENT]
    found = [read_slices([], columns=columns)]
    for (number, *_), within in rows.group_by("slice"):
        found.append(compact(read_slices([slices[int(number)]], columns=columns)[within["place"]]))
    return pl.concat(found)


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
