"""Transactions as the models read them: facts joined in memory with what was true of the client; and fraud reports."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise

import polars as pl

from partitions.grain import date_key
from warehouse.queries import query
from warehouse.snapshot import reader

# A million rows take one connection 2.5 s, in which the server and the driver wait for each other, and two 1.7 s.
READERS = 2

# What `ml.features` needs of a transaction, whatever it was read from.
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transaction_id": pl.String,
    "transaction_ts": pl.Datetime("us", "UTC"),
    "date_key": pl.Int32,
    "client": pl.Int32,
    "beneficiary": pl.Int32,
    "service": pl.Int16,
    "channel": pl.Int16,
    "location": pl.Int32,
    "currency": pl.Int16,
    "amount_minor": pl.Int64,
    "amount": pl.Float64,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "location_country": pl.String,
    "client_country": pl.String,
    "customer_segment": pl.String,
    "company_size": pl.String,
    "risk_level": pl.String,
    "kyc_level": pl.Int16,
    "onboarded_on": pl.Date,
}
LABEL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transaction_id": pl.String,
    "is_fraud": pl.Boolean,
    "reported_at": pl.Datetime("us", "UTC"),
}


def read_transactions(url: str, since: date | None = None, until: date | None = None) -> pl.LazyFrame:
    """Transactions of the days [since, until) in the business time zone.

    Columns: those of `SCHEMA`. `client` is the durable key, the same for all versions of a client; its attributes are
    those of the version that was true at the transaction. `amount` is in units of the currency, for models only.

    Raises:
        TransientTargetError: the server is away.
        TargetError: a query failed.
    """
    with ThreadPoolExecutor(READERS) as readers:
        facts = [readers.submit(_facts, url, *days) for days in _parts(since or date.min, until or date.max)]
        with reader(url) as one:
            clients, locations = one.read(query("ml/clients")), one.read(query("ml/locations"))
            currencies = one.read(query("ml/currencies"))
    return (
        pl.concat([part.result().lazy() for part in facts])
        .join(clients.lazy(), on="client_key", how="left")
        .join(locations.lazy(), on="location", how="left")
        .join(currencies.lazy(), on="currency", how="left")
        .with_columns(amount=pl.col("amount_minor") / pl.lit(10.0).pow(pl.col("exponent")))
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def _facts(url: str, since: date, until: date) -> pl.DataFrame:
    with reader(url) as one:
        return one.read(query("ml/transactions"), [date_key(since), date_key(until)])


def _parts(since: date, until: date) -> list[tuple[date, date]]:
    """The days of [since, until), in as many parts as there are readers."""
    bounds = [since + (until - since) * part // READERS for part in range(READERS)]
    return list(pairwise([*bounds, until]))


def read_labels(url: str) -> pl.LazyFrame:
    """Fraud reports: `transaction_id`, `is_fraud`, `reported_at`.

    Raises: as `read_transactions`.
    """
    with reader(url) as one:
        return (
            one.read(query("ml/labels")).select(pl.col(name).cast(dtype) for name, dtype in LABEL_SCHEMA.items()).lazy()
        )
