"""Source against warehouse: counts and sums by day, currency and status, computed from the files and from the fact."""

from pathlib import Path

import polars as pl

from engine.intake import Doorkeeper, take_in
from engine.slices import Slice, collect_slices
from engine.summary import Summary
from warehouse.queries import query
from warehouse.snapshot import read_frame

KEYS = ["date_key", "currency_key", "status_key"]
SUMS = ["transactions", "amount_minor", "commission_minor"]


def compare(keeper: Doorkeeper, url: str, folder: Path, mapping: Path | None) -> pl.DataFrame:
    """Cells in which a folder and the warehouse differ; none if they agree on every day that the folder speaks of.

    Returns:
        `date_key`, `currency_code`, `status_code`, and each of `transactions`, `amount_minor`, `commission_minor` as
        `..._source` and `..._warehouse`.
    """
    intake = take_in(keeper, folder, mapping, Summary("compared"), skip_known=False)
    assert intake is not None
    source = _source_cells(intake.sifted.slices, intake.judged)
    stored = read_frame(url, query("compare/cells")).select(
        *(pl.col(name).cast(pl.Int64) for name in KEYS), *(pl.col(name).cast(pl.Int64) for name in SUMS)
    )
    stored = stored.join(source.select("date_key").unique(), on="date_key", how="semi")
    both = source.join(stored, on=KEYS, how="full", coalesce=True, suffix="_warehouse").fill_null(0)
    unequal = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_warehouse") for name in SUMS)
    names = read_frame(url, query("compare/names"))
    return (
        both.filter(unequal)
        .rename({name: f"{name}_source" for name in SUMS})
        .join(
            names.select(pl.col("currency_key", "status_key").cast(pl.Int64), "currency_code", "status_code"),
            on=["currency_key", "status_key"],
        )
        .drop("currency_key", "status_key")
        .sort("date_key", "currency_code", "status_code")
    )


def _source_cells(slices: list[Slice], judged: pl.DataFrame) -> pl.DataFrame:
    if not slices:
        return pl.DataFrame(schema=dict.fromkeys((*KEYS, *SUMS), pl.Int64))
    losers = judged.filter(~pl.col("wins"))["seq"].implode()
    sums = pl.len().alias("transactions"), pl.col("amount_minor", "commission_minor").sum()
    parts = collect_slices(slices, lambda rows: rows.filter(~pl.col("seq").is_in(losers)).group_by(KEYS).agg(*sums))
    return parts.group_by(KEYS).agg(pl.col(SUMS).sum()).select(pl.col(*KEYS, *SUMS).cast(pl.Int64))
