"""Recency, frequency and value of each client before a day."""

import hashlib
from dataclasses import dataclass
from datetime import date

import polars as pl

from ml.rfm.rates import Currencies, Rates, converted, exponent_of
from ml.rfm.window import Window, key_of, months_after
from warehouse.queries import query
from warehouse.snapshot import Reader, reader

# `frequency` is 0 for clients whose last transaction is older than the window: `is_active` of the others.
VALUES = pl.Schema(
    {
        "client_ref": pl.Binary,
        "client": pl.Int32,
        "recency": pl.Int32,
        "frequency": pl.Int32,
        "monetary_minor": pl.Int64,
        "active_days": pl.Int32,
        "age": pl.Int32,
        "revenue_minor": pl.Int64,
        "recent_revenue_minor": pl.Int64,
    }
)

is_active = pl.col("frequency") > 0


@dataclass(frozen=True)
class Values:
    """`clients` has the columns of `VALUES` in the order of `client_ref`, which no load changes; `exponent` is the
    number of decimals of the reporting currency. `age` counts days from the first transaction, `revenue_minor` all
    commission so far, `recent_revenue_minor` that of the window.
    """

    window: Window
    clients: pl.DataFrame
    exponent: int

    @property
    def digest(self) -> str:
        """SHA-256 of all values, client by client."""
        rows = self.clients.select(pl.exclude("client", "client_ref"), pl.col("client_ref").bin.encode("hex"))
        return hashlib.sha256(rows.write_csv().encode()).hexdigest()


def read_values(url: str, window: Window, rates: Rates) -> Values:
    """The values of every client with a successful transaction before `window.as_of`; the unknown client has none.

    Raises:
        DataRefusedError: a currency has no rate.
        TransientTargetError: the server is away.
    """
    as_of, since = key_of(window.as_of), key_of(window.since)
    with reader(url) as reading:
        currencies = read_currencies(reading)
        activity = reading.read(query("segments/activity"), (as_of,))
        recent = reading.read(query("segments/amounts"), (since, as_of))
        ever = reading.read(query("segments/amounts"), (0, as_of)).drop("successes", "amount_minor")
    clients = values(activity, converted(recent, rates, currencies), converted(ever, rates, currencies), window)
    return Values(window, clients, exponent_of(rates, currencies))


def read_currencies(reading: Reader) -> Currencies:
    """Key -> code and decimals of every currency."""
    return {key: (code, exponent) for key, code, exponent in reading.read(query("segments/currencies")).iter_rows()}


def values(activity: pl.DataFrame, recent: pl.DataFrame, ever: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Values from what was read: `activity` by client, and converted amounts of the window and of all time.

    A reversal is the newest state of its own transaction here, which then is no success: sums of successes are net of
    reversals. A source that books them as negative amounts can bring a sum below zero, where it ends.
    """
    return (
        activity.join(recent.rename({"commission_minor": "recent_minor"}), "client", "left")
        .join(ever, "client", "left")
        .select(
            "client_ref",
            pl.col("client").cast(pl.Int32),
            recency=_days_before(window.as_of, "last_key"),
            frequency=pl.col("successes").fill_null(0).cast(pl.Int32),
            monetary_minor=pl.col("amount_minor").fill_null(0).clip(lower_bound=0),
            active_days=pl.col("active_days").cast(pl.Int32),
            age=_days_before(window.as_of, "first_key"),
            revenue_minor=pl.col("commission_minor").fill_null(0).clip(lower_bound=0),
            recent_revenue_minor=pl.col("recent_minor").fill_null(0).clip(lower_bound=0),
        )
        .match_to_schema(VALUES)
        .sort("client_ref")
    )


def _days_before(day: date, column: str) -> pl.Expr:
    then = pl.col(column).cast(pl.String).str.to_date("%Y%m%d")
    return (pl.lit(day) - then).dt.total_days().cast(pl.Int32)


def read_outcomes(url: str, after: Window, months: int, rates: Rates) -> pl.DataFrame:
    """What became of clients in the months from `after.as_of` on: `client`, `successes`, `commission_minor`."""
    until = months_after(after.as_of, months)
    with reader(url) as reading:
        amounts = reading.read(query("segments/amounts"), (key_of(after.as_of), key_of(until)))
        return converted(amounts.drop("amount_minor"), rates, read_currencies(reading))
