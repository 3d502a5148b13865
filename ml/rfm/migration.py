"""Who moved between two days: what clients did, kept apart from what a refit did."""

from dataclasses import dataclass

import polars as pl

from ml.rfm.model import Model

MOVES = ("before", "after", "clients")


@dataclass(frozen=True)
class Migration:
    """Counts of clients by `before` and `after` (segments).

    `moved`: by the model of the earlier day on both days. `refitted`: of the later day, from the segment that the
    earlier model gives to the one that the later model gives. `total`: as stored. Clients that are on one day only have
    `None` for the other.
    """

    moved: pl.DataFrame
    refitted: pl.DataFrame
    total: pl.DataFrame
    is_refit: bool


def migration(earlier: pl.DataFrame, later: pl.DataFrame, model: Model, *, is_refit: bool) -> Migration:
    """From the segments of two days (`client_ref`, `segment`) and the model of the earlier one.

    `later` has the values to which this model is applied: `recency`, `frequency`, and `monetary_minor` at its rates.
    """
    by_old_model = model.segments(later) if is_refit else later["segment"]
    both = earlier.select("client_ref", before="segment").join(
        later.select("client_ref", after="segment", kept=by_old_model), "client_ref", "full", coalesce=True
    )
    return Migration(
        moved=_counted(both.select("before", after="kept")),
        refitted=_counted(both.filter(pl.col("kept").is_not_null()).select(before="kept", after="after")),
        total=_counted(both.select("before", "after")),
        is_refit=is_refit,
    )


def _counted(moves: pl.DataFrame) -> pl.DataFrame:
    return (
        moves.group_by("before", "after")
        .len("clients")
        .sort("before", "after", nulls_last=True)
        .select(pl.col("before", "after").cast(pl.Int16), pl.col("clients").cast(pl.Int64))
    )


def changed(counts: pl.DataFrame) -> int:
    """How many clients are in another segment, of those that are there on both days."""
    return int(counts.filter(pl.col("before") != pl.col("after"))["clients"].sum())
