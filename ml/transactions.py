"""Transactions as the models read them: facts joined in memory with what was true of the client; and fraud reports."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise

import polars as pl

from partitions.grain import date_key
from warehouse.queries import query
from warehouse.snapshot import reader

# A million rows take one connection 2.5 s, in which the server and the driver wait for each other, and two 1.7 s.
READERS = 2
DAYS_OF_PART = 30

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
    "location_country": pl.Categorical,
    "client_country": pl.Categorical,
    "customer_segment": pl.Categorical,
    "company_size": pl.Categorical,
    "risk_level": pl.Categorical,
    "kyc_level": pl.Int16,
    "onboarded_on": pl.Date,
}
LABEL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transaction_id": pl.String,
    "is_fraud": pl.Boolean,
    "reported_at": pl.Datetime("us", "UTC"),
}


# The days from the first to before the second.
Part = tuple[date, date]


@dataclass
class Transactions:
    """Transactions of one span of days after another: what a span shares with the one before is not read again."""

    url: str
    _held: dict[Part, pl.DataFrame] = field(default_factory=dict)

    def of(self, since: date, until: date) -> pl.LazyFrame:
        """Transactions of the days [since, until) in the business time zone.

        Columns: those of `SCHEMA`. `client` is the durable key, the same for all versions of a client; its attributes
        are those of the version that was true at the transaction. `amount` is in units of the currency, for models
        only.

        Raises:
            TransientTargetError: the server is away.
            TargetError: a query failed.
        """
        missing = self._missing(since, until)
        with ThreadPoolExecutor(READERS) as readers:
            # Sixty parts of a million rows, by a connection each, took 3.4 s, and 1.5 by two.
            left = iter(missing)
            facts = [readers.submit(_facts, self.url, left) for _ in missing[:READERS]]
            clients, locations, currencies = self._dimensions
            for read in facts:
                self._held |= read.result()
        return (
            pl.concat([self._within(days, since, until) for days in sorted(self._held)])
            .join(clients.lazy(), on="client_key", how="left")
            .join(locations.lazy(), on="location", how="left")
            .join(currencies.lazy(), on="currency", how="left")
            .with_columns(amount=pl.col("amount_minor") / pl.col("units"))
            .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        )

    def _within(self, days: Part, since: date, until: date) -> pl.LazyFrame:
        facts = self._held[days].lazy()
        if since <= days[0] and days[1] <= until:
            # A filter would copy what it lets through.
            return facts
        return facts.filter(pl.col("date_key").is_between(date_key(since), date_key(until), closed="left"))

    def _missing(self, since: date, until: date) -> list[Part]:
        """What has to be read besides what is held, of which the days before are let go."""
        self._held = {days: facts for days, facts in self._held.items() if days[1] > since}
        if self._held and min(self._held)[0] > since:
            self._held.clear()
        begin = max((end for _, end in self._held), default=since)
        return _parts(begin, until) if begin < until else []

    @cached_property
    def _dimensions(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Clients, locations, and minor units in a unit of each currency, in the types that transactions have."""
        with reader(self.url) as one:
            clients, locations = (_typed(one.read(query(name))) for name in ("ml/clients", "ml/locations"))
            currencies = one.read(query("ml/currencies"))
        return clients, locations, currencies.select("currency", units=pl.lit(10.0).pow(pl.col("exponent")))


def _typed(dimension: pl.DataFrame) -> pl.DataFrame:
    """In the types of `SCHEMA`: a name of a country is looked up once a place, and not once a transaction."""
    return dimension.with_columns(pl.col(name).cast(SCHEMA[name]) for name in dimension.columns if name in SCHEMA)


def _facts(url: str, parts: Iterator[Part]) -> dict[Part, pl.DataFrame]:
    """Facts of the parts of the days that no other reader has taken."""
    with reader(url) as one:
        return {days: one.read(query("ml/transactions"), [date_key(day) for day in days]) for days in parts}


def _parts(since: date, until: date) -> list[Part]:
    """The days of [since, until) in parts: for each reader as many, each of no more than a month or so.

    While a part is read it is held twice, as the driver's and as Polars' columns.
    """
    number = READERS * max(1, round((until - since).days / DAYS_OF_PART / READERS))
    bounds = [since + (until - since) * part // number for part in range(number)]
    return [(begin, end) for begin, end in pairwise([*bounds, until]) if begin < end]


def read_labels(url: str) -> pl.LazyFrame:
    """Fraud reports: `transaction_id`, `is_fraud`, `reported_at`.

    Raises: as `Transactions.of`.
    """
    with reader(url) as one:
        return (
            one.read(query("ml/labels")).select(pl.col(name).cast(dtype) for name, dtype in LABEL_SCHEMA.items()).lazy()
        )
