"""What segments are good for: those of six months ago, and what became of their clients since."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ml.rfm.model import Model, fit_model
from ml.rfm.rates import Rates
from ml.rfm.values import Values, read_outcomes, read_values
from ml.rfm.window import Window, months_after
from warehouse.errors import DataRefusedError

MONTHS_AHEAD = 6

# Shares are of all clients of that day; lift is the share of revenue divided by that of clients: 1 is chance.
# `predicted` is what the lifetime model of that day expected, in units; `None` if there was none.
OUTLOOK = pl.Schema(
    {
        "segment": pl.Int16,
        "clients": pl.Int64,
        "retained": pl.Float64,
        "revenue_minor": pl.Int64,
        "revenue_share": pl.Float64,
        "lift": pl.Float64,
        "predicted": pl.Float64,
    }
)


@dataclass(frozen=True)
class Outlook:
    """`by_segment` has the columns of `OUTLOOK`, or is missing for a `reason`."""

    as_of: date
    until: date
    by_segment: pl.DataFrame | None = None
    reason: str = ""


def outlook(url: str, until: date, first: date, last: date, rates: Rates) -> Outlook:
    """Fit on the day six months before `until`, with nothing that came later, and look at the months in between."""
    as_of = months_after(until, -MONTHS_AHEAD)
    if as_of <= first:
        return Outlook(as_of, until, reason=f"the transactions begin on {first}, later than six months before {until}")
    if last + timedelta(days=1) < until:
        return Outlook(as_of, until, reason=f"the transactions end on {last}, before {until}")
    values = read_values(url, Window(as_of), rates)
    try:
        model = fit_model(values, rates)
    except DataRefusedError as error:
        return Outlook(as_of, until, reason=f"no model of {as_of}: {error.message}")
    outcomes = read_outcomes(url, values.window, MONTHS_AHEAD, rates)
    return Outlook(as_of, until, judged(values, model, outcomes))


def judged(values: Values, model: Model, outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row a segment of `model`, from `outcomes` by client (`successes`, `commission_minor`) after its day."""
    days = (months_after(values.window.as_of, MONTHS_AHEAD) - values.window.as_of).days
    lifetime = model.lifetime
    predicted = lifetime.revenue(values.clients, days, values.exponent) if lifetime else None
    return (
        values.clients.with_columns(
            model.segments(values.clients),
            pl.lit(None if predicted is None else pl.Series(predicted), pl.Float64).alias("predicted"),
        )
        .join(outcomes, "client", "left")
        .group_by("segment")
        .agg(
            clients=pl.len().cast(pl.Int64),
            retained=(pl.col("successes").fill_null(0) > 0).mean(),
            revenue_minor=pl.col("commission_minor").fill_null(0).sum(),
            predicted=pl.when(pl.col("predicted").is_not_null().any()).then(pl.col("predicted").sum()),
        )
        .with_columns(revenue_share=pl.col("revenue_minor") / pl.col("revenue_minor").sum())
        .with_columns(lift=pl.col("revenue_share") * pl.col("clients").sum() / pl.col("clients"))
        .match_to_schema(OUTLOOK)
        .sort("segment")
    )
