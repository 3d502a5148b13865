"""What the dashboards must show, computed from the files that were loaded; the warehouse is not asked.

Only what a model says of a transaction or a client is given: it stands in no file.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from engine.pseudonyms import pseudonyms, readable_code
from tests.dashboards import band_of, chance
from tests.loading import KEYRING

AMOUNT = pl.Decimal(30, 4)
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
GROUP = ("full_date", "country_code", "customer_segment", "service_name", "currency_code")
SUCCEEDED = pl.col("status") == "SUCCESS"


def rounded(value: pl.Expr, digits: int) -> pl.Expr:
    """Half up, as PostgreSQL rounds."""
    scale = float(10**digits)
    return (value * scale + 0.5).floor() / scale


def read(folders: list[Path], feed: str) -> pl.DataFrame:
    """All rows of a feed, as text."""
    paths = [path for folder in folders for path in sorted(folder.glob(f"{feed}*.csv"))]
    frames = [pl.read_csv(path, infer_schema=False) for path in paths]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


@dataclass(frozen=True)
class Figures:
    """Feeds of some folders in the order in which they were loaded, and the days that were scored with which salt."""

    folders: list[Path]
    scored: dict[date, int]

    @cached_property
    def clients(self) -> pl.DataFrame:
        """Versions of each client; its country is the one that was told last."""
        told = read(self.folders, "clients").with_columns(pl.col("effective_at").str.to_datetime(MOMENT))
        return told.sort("client_id", "effective_at").with_columns(
            country=pl.col("country_code").last().over("client_id"),
            newest_segment=pl.col("customer_segment").last().over("client_id"),
            newest_risk=pl.col("risk_level").last().over("client_id"),
        )

    @cached_property
    def newest(self) -> pl.DataFrame:
        """Every client as it is now; of some no row has told."""
        names = {"country": "country_code", "newest_segment": "customer_segment", "newest_risk": "risk_level"}
        told = self.clients.select("client_id", *names).unique("client_id").rename(names)
        paying = read(self.folders, "transactions").select("client_id").unique()
        one = pl.concat([told, paying.join(told, "client_id", "anti")], how="diagonal").with_columns(
            pl.col("customer_segment", "risk_level").fill_null("UNKNOWN")
        )
        refs = pseudonyms(one["client_id"], "client", KEYRING)
        codes = [readable_code(ref) for ref in refs]
        return one.with_columns(client_ref=refs, client_code=pl.Series(codes, dtype=pl.String))

    def segment_before(self, day: date) -> pl.DataFrame:
        """`client_id`, `customer_segment` of the version true on the eve of a day; the first covers all before."""
        earlier = (
            self.clients.filter(pl.col("effective_at") < day)
            .group_by("client_id")
            .agg(pl.col("customer_segment").last())
        )
        first = self.clients.group_by("client_id").agg(pl.col("customer_segment").first())
        return pl.concat([earlier, first]).unique("client_id", keep="first", maintain_order=True)

    @cached_property
    def transactions(self) -> pl.DataFrame:
        """Each transaction in its newest version, with all that it is grouped by."""
        rows = read(self.folders, "transactions").with_columns(
            pl.col("transaction_ts", "updated_at").str.to_datetime(MOMENT),
            pl.col("amount", "commission").cast(AMOUNT),
            pl.col("processing_ms").cast(pl.Int64),
        )
        rows = rows.sort("updated_at", maintain_order=True, descending=True).unique(
            "transaction_id", keep="first", maintain_order=True
        )
        first = self.clients.group_by("client_id").agg(first_segment=pl.col("customer_segment").first())
        services = read(self.folders, "services").select("service_id", "service_name", "category")
        places = read(self.folders, "locations").select("location_code", place="country_code").unique()
        return (
            rows.sort("transaction_ts")
            .join_asof(
                self.clients.sort("effective_at").select("client_id", "effective_at", "customer_segment"),
                left_on="transaction_ts",
                right_on="effective_at",
                by="client_id",
                check_sortedness=False,
            )
            .join(first, "client_id", "left")
            .join(self.newest.select("client_id", home="country_code"), "client_id", "left")
            .join(services, "service_id", "left")
            .join(places, "location_code", "left")
            .join(self.labels, "transaction_id", "left")
            .with_columns(
                full_date=pl.col("transaction_ts").dt.date(),
                hour=pl.col("transaction_ts").dt.hour().cast(pl.Int64),
                country_code=pl.coalesce("home", "place", pl.lit("UNKNOWN")),
                customer_segment=pl.coalesce("customer_segment", "first_segment", pl.lit("UNKNOWN")),
            )
            .rename({"currency": "currency_code"})
            .with_columns(self._scores)
        )

    @property
    def _scores(self) -> pl.Expr:
        def score(row: dict[str, Any]) -> float | None:
            salt = self.scored.get(row["full_date"])
            return None if salt is None else chance(f"{salt}{row['transaction_id']}")

        return pl.struct("full_date", "transaction_id").map_elements(score, pl.Float64, skip_nulls=False).alias("score")

    @cached_property
    def labels(self) -> pl.DataFrame:
        told = read(self.folders, "fraud_labels")
        if told.is_empty():
            return pl.DataFrame(schema={"transaction_id": pl.String, "fraud": pl.Boolean})
        newest = told.sort("reported_at").unique("transaction_id", keep="last")
        return newest.select("transaction_id", fraud=pl.col("is_fraud") == "1")

    @cached_property
    def judged(self) -> pl.DataFrame:
        """Transactions with their band."""
        band = pl.col("score").map_elements(band_of, pl.String)
        return self.transactions.with_columns(band=band.fill_null("none"), fraud=pl.col("fraud"))

    def activity(self) -> pl.DataFrame:
        return self.transactions.group_by(*GROUP, "category").agg(
            transactions=pl.len(),
            successes=SUCCEEDED.sum(),
            failures=(pl.col("status") == "FAILED").sum(),
            pendings=(pl.col("status") == "PENDING").sum(),
            reversals=(pl.col("status") == "REVERSED").sum(),
            success_amount=pl.col("amount").filter(SUCCEEDED).sum(),
            commission=pl.col("commission").filter(SUCCEEDED).sum(),
            processing_ms_sum=pl.col("processing_ms").sum(),
            processing_ms_count=pl.col("processing_ms").count(),
        )

    def key_figures(self) -> pl.DataFrame:
        return self.transactions.group_by("full_date", "currency_code").agg(
            transactions=pl.len(),
            successes=SUCCEEDED.sum(),
            failures=(pl.col("status") == "FAILED").sum(),
            active_clients=pl.col("client_id").n_unique(),
            success_amount=pl.col("amount").filter(SUCCEEDED).sum(),
            revenue=pl.col("commission").filter(SUCCEEDED).sum(),
            success_rate=rounded(SUCCEEDED.mean(), 6),
            mean_processing_ms=rounded(pl.col("processing_ms").mean(), 1),
        )

    def active_clients(self) -> pl.DataFrame:
        by_client = self.transactions.select(
            "client_id", "service_name", month=pl.col("full_date").dt.truncate("1mo")
        ).unique()
        both = pl.concat([by_client, by_client.with_columns(service_name=pl.lit("ALL")).unique()])
        return (
            both.join(self.newest.select("client_id", "country_code", "customer_segment"), "client_id", "left")
            .with_columns(pl.col("country_code", "customer_segment").fill_null("UNKNOWN"))
            .group_by("month", "country_code", "customer_segment", "service_name")
            .agg(active_clients=pl.len())
        )

    def services(self) -> pl.DataFrame:
        known = pl.col("processing_ms").drop_nulls().sort()
        place = ((known.len() * 95 + 99) // 100 - 1).cast(pl.Int64)
        return self.transactions.group_by("full_date", "service_name", "category", "country_code", "currency_code").agg(
            transactions=pl.len(),
            successes=SUCCEEDED.sum(),
            failures=(pl.col("status") == "FAILED").sum(),
            success_amount=pl.col("amount").filter(SUCCEEDED).sum(),
            commission=pl.col("commission").filter(SUCCEEDED).sum(),
            mean_processing_ms=rounded(pl.col("processing_ms").mean(), 1),
            p95_processing_ms=pl.when(known.len() > 0).then(known.get(place, null_on_oob=True)),
            failure_rate=rounded((pl.col("status") == "FAILED").mean(), 6),
        )

    def frauds(self) -> pl.DataFrame:
        return self.judged.group_by(GROUP).agg(
            transactions=pl.len(),
            labelled=pl.col("fraud").count(),
            frauds=pl.col("fraud").sum(),
            fraud_amount=pl.col("amount").filter("fraud").sum(),
        )

    def rollup(self) -> pl.DataFrame:
        """Activity and frauds; and their totals, where country, segment or both are empty."""
        finest = self.activity().join(self.frauds().drop("transactions"), GROUP)
        over = ("country_code", "customer_segment")
        levels: list[tuple[str, ...]] = [(), over[:1], over[1:], over]
        return pl.concat(
            finest.with_columns(pl.lit("").alias(name) for name in level)
            .group_by(*GROUP, "category")
            .agg(pl.all().sum())
            for level in levels
        )

    def heat_map(self) -> pl.DataFrame:
        month, day_of_week = pl.col("full_date").dt.truncate("1mo"), pl.col("full_date").dt.weekday()
        keys = (month.alias("month"), day_of_week.alias("day_of_week"), "hour", "country_code", "currency_code")
        return self.judged.group_by(keys).agg(
            transactions=pl.len(), frauds=pl.col("fraud").sum(), fraud_amount=pl.col("amount").filter("fraud").sum()
        )

    def saved(self) -> pl.DataFrame:
        fraud, blocked = pl.col("fraud").fill_null(value=False), pl.col("band") == "block"
        return (
            self.judged.filter(fraud | blocked)
            .group_by(GROUP)
            .agg(
                frauds=fraud.sum(),
                fraud_amount=pl.col("amount").filter(fraud).sum(),
                blocked_frauds=(fraud & blocked).sum(),
                saved_amount=pl.col("amount").filter(fraud & blocked).sum(),
                missed_frauds=(fraud & ~blocked).sum(),
                missed_amount=pl.col("amount").filter(fraud & ~blocked).sum(),
                blocked_honest=(blocked & (pl.col("fraud") == False)).sum(),  # noqa: E712 - three values
            )
        )

    def clients_at_risk(self) -> pl.DataFrame:
        as_of = self.judged["full_date"].max()
        assert isinstance(as_of, date)
        recent = self.judged.filter(pl.col("full_date") > as_of - timedelta(days=90))
        alert, fraud = pl.col("band").is_in(["review", "block"]), pl.col("fraud").fill_null(value=False)
        return (
            recent.group_by("client_id", "currency_code")
            .agg(
                transactions=pl.len(),
                alerts=alert.sum(),
                blocked=(pl.col("band") == "block").sum(),
                frauds=fraud.sum(),
                fraud_amount=pl.col("amount").filter(fraud).sum(),
                highest_score=pl.col("score").filter(alert | fraud).max(),
                last_alert_on=pl.col("full_date").filter(alert).max(),
            )
            .filter((pl.col("alerts") > 0) | (pl.col("frauds") > 0))
            .join(self.newest, "client_id")
            .select("client_code", pl.exclude("client_id", "client_ref", "client_code"), as_of=pl.lit(as_of))
            .with_columns(pl.col("country_code").fill_null("UNKNOWN"))
        )

    def members(self, as_of: date, rates: dict[str, str], model: pl.DataFrame) -> pl.DataFrame:
        """Clients of a segmentation: what the `model` says of them (`client_ref`, ...), and their values before it."""
        since = as_of.replace(year=as_of.year - 1)
        rate = pl.col("currency_code").replace_strict(rates, return_dtype=pl.String).cast(pl.Decimal(20, 9))
        before = self.transactions.filter(SUCCEEDED, pl.col("full_date") < as_of).join(self.newest, "client_id")
        within = pl.col("full_date") >= since
        values = before.group_by("client_id", "client_ref").agg(
            recency=(pl.lit(as_of) - pl.col("full_date").max()).dt.total_days(),
            frequency=within.sum(),
            monetary=(pl.col("amount") * rate).filter(within).sum(),
            past=(pl.col("commission") * rate).filter(within).sum(),
        )
        places = self.newest.select("client_id", pl.col("country_code").fill_null("UNKNOWN"))
        return (
            model.join(values, "client_ref")
            .join(places, "client_id")
            .join(self.segment_before(as_of), "client_id", "left")
            .with_columns(pl.col("customer_segment").fill_null("UNKNOWN"))
            .with_columns(
                monetary=pl.col("monetary").map_elements(lambda one: one.quantize(Decimal(1), "ROUND_HALF_UP"), AMOUNT)
            )
        )
