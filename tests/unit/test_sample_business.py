"""Whether the made-up operator looks like one: hours, amounts, clients, receivers, fraud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sample.catalogue import SERVICES
from sample.fraud import TYPOLOGIES
from sample.generate import generate
from sample.plan import SamplePlan
from sample.truth import Truth

ROWS = 120_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, Path]:
    folder = tmp_path_factory.mktemp("business")
    return generate(SamplePlan(rows=ROWS, months=6, dirty_share=0), folder), folder


@pytest.fixture(scope="module")
def paid(made: tuple[Truth, Path]) -> pl.DataFrame:
    """The last version of each transaction, with its label."""
    folder = made[1]
    text = pl.concat([pl.read_csv(path, infer_schema=False) for path in sorted(folder.glob("transactions_*"))])
    labels = pl.read_csv(folder / "fraud_labels.csv")
    return (
        text.sort("updated_at")
        .unique("transaction_id", keep="last", maintain_order=True)
        .with_columns(pl.col("transaction_ts", "updated_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"))
        .with_columns(pl.col("amount", "commission").cast(pl.Float64), pl.col("processing_ms").cast(pl.Int64))
        .join(labels, on="transaction_id", how="left")
    )


def share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    return frame.select(condition.fill_null(value=False).mean()).item()  # type: ignore[no-any-return]


def test_people_work_by_day_and_eat_at_noon(paid: pl.DataFrame) -> None:
    ordinary = paid.filter((pl.col("currency") == "XOF") & (pl.col("service_id") != "SAL-BULK"))
    hours = ordinary.group_by(pl.col("transaction_ts").dt.hour()).len()
    by_hour = dict(hours.rows())
    assert by_hour[10] > 1.2 * by_hour[13]
    assert 0.005 < sum(by_hour[hour] for hour in range(5)) / sum(by_hour.values()) < 0.04
    sunday = share(paid, pl.col("transaction_ts").dt.weekday() == 7)
    assert 0.01 < sunday < 0.07


def test_each_country_keeps_its_own_clock(paid: pl.DataFrame) -> None:
    nairobi = paid.filter(pl.col("currency") == "KES")["transaction_ts"].dt.hour().median()
    abidjan = paid.filter(pl.col("currency") == "XOF")["transaction_ts"].dt.hour().median()
    assert isinstance(nairobi, float)
    assert isinstance(abidjan, float)
    assert 2 <= abidjan - nairobi <= 4


def test_salaries_fall_at_the_end_of_the_month_and_stay_the_same(paid: pl.DataFrame) -> None:
    salaries = paid.filter(pl.col("service_id") == "SAL-BULK")
    assert share(salaries, pl.col("transaction_ts").dt.day() >= 23) > 0.85
    pairs = salaries.group_by("client_id", "beneficiary_id").agg(pl.len(), pl.col("amount").n_unique().alias("amounts"))
    steady = pairs.filter(pl.col("len") >= 4)
    assert len(steady) > 500
    assert share(steady, pl.col("amounts") == 1) > 0.99


def test_few_clients_make_most_of_the_business(paid: pl.DataFrame) -> None:
    counts = paid.group_by("client_id").len()["len"].sort(descending=True).to_numpy()
    assert 0.4 < counts[: len(counts) // 10].sum() / counts.sum() < 0.75
    assert counts[0] / counts.sum() < 0.06


def test_amounts_are_log_normal_within_a_service(paid: pl.DataFrame) -> None:
    logs = np.log(paid.filter((pl.col("service_id") == "MER-COL") & (pl.col("currency") == "XOF"))["amount"].to_numpy())
    assert abs(float(np.mean((logs - logs.mean()) ** 3) / logs.std() ** 3)) < 0.3
    assert 0.9 < float(logs.std()) < 1.6


def test_commission_is_the_rate_half_up(paid: pl.DataFrame) -> None:
    rates = pl.DataFrame({"service_id": [s.service_id for s in SERVICES], "bp": [s.rate_bp for s in SERVICES]})
    cents = pl.col("currency").is_in(["GHS", "KES", "MAD"])
    minor = paid.join(rates, on="service_id").with_columns(
        *(
            (pl.col(name) * pl.when(cents).then(100).otherwise(1)).round().cast(pl.Int64)
            for name in ("amount", "commission")
        )
    )
    assert minor.filter(pl.col("commission") != (pl.col("amount") * pl.col("bp") + 5_000) // 10_000).is_empty()
    assert len(minor) == len(paid)


def test_statuses(paid: pl.DataFrame) -> None:
    shares = dict(paid["status"].value_counts(normalize=True).rows())
    assert 0.93 < shares["SUCCESS"] < 0.97
    assert 0.02 < shares["FAILED"] < 0.05
    assert 0 < shares["PENDING"] < 0.01
    assert 0 < shares["REVERSED"] < 0.02


def test_receivers_are_phone_numbers_or_merchant_codes(paid: pl.DataFrame) -> None:
    known = paid["beneficiary_id"].drop_nulls()
    assert known.str.contains(r"^(\+(225\d{10}|(221|224|233|254|212)\d{9})|MRC-\d{6})$").all()
    transfers = paid.filter(pl.col("service_id") == "TRF-B2C").sort("transaction_ts")
    seen = transfers.with_columns(first=pl.struct("client_id", "beneficiary_id").is_first_distinct())
    assert 0.1 < share(seen.tail(len(seen) // 3), pl.col("first")) < 0.6


def test_no_client_pays_before_it_is_onboarded_and_few_are_unknown(
    paid: pl.DataFrame, made: tuple[Truth, Path]
) -> None:
    clients = pl.read_csv(made[1] / "clients.csv", try_parse_dates=True)
    assert clients.select(pl.struct("client_id", "effective_at").n_unique()).item() == made[0].feeds["clients"].loaded
    firsts = clients.group_by("client_id").agg(pl.col("onboarded_on").first(), pl.col("effective_at").min())
    joined = paid.join(firsts, on="client_id")
    assert joined.filter(pl.col("transaction_ts").dt.date() < pl.col("onboarded_on")).is_empty()
    assert joined.filter(pl.col("transaction_ts") < pl.col("effective_at").dt.replace_time_zone(None)).is_empty()
    unknown = paid.join(clients, on="client_id", how="anti")
    assert 0.0001 < len(unknown) / len(paid) < 0.0005
    changing = clients.unique().group_by("client_id").len()
    assert 0.15 < share(changing, pl.col("len") > 1) < 0.3


def test_history_rows_change_one_thing_at_a_time(made: tuple[Truth, Path]) -> None:
    kept = ("customer_segment", "company_size", "risk_level")
    clients = pl.read_csv(made[1] / "clients.csv", infer_schema=False).unique().sort("client_id", "effective_at")
    changes = clients.select(
        pl.sum_horizontal(pl.col(name) != pl.col(name).shift() for name in kept).alias("changed"),
        (pl.col("client_id") == pl.col("client_id").shift()).alias("same"),
    ).filter("same")
    assert changes["changed"].unique().to_list() == [1]


def test_fraud_is_rare_and_of_every_kind(made: tuple[Truth, Path]) -> None:
    frauds = made[0].fraud
    assert set(frauds) == set(TYPOLOGIES)
    assert min(frauds.values()) > 0
    assert 0.003 < sum(frauds.values()) / ROWS < 0.005


@pytest.mark.parametrize(
    "rule",
    [
        pl.col("transaction_ts").dt.hour() < 5,
        pl.col("amount") > 500_000,
        pl.col("channel_code") == "AGENT",
        pl.col("service_id") == "TRF-B2C",
        pl.col("service_id") == "TRF-DEP",
    ],
)
def test_no_single_feature_gives_fraud_away(paid: pl.DataFrame, rule: pl.Expr) -> None:
    chosen = paid.filter((pl.col("currency") == "XOF") & rule)
    assert len(chosen) > 100
    assert share(chosen, pl.col("is_fraud") == 1) < 0.15
