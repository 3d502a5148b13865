"""The batch against the definitions, one transaction at a time; and that a difference would be seen."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bench.parity import compare
from ml.features import blocks
from ml.features.counterparty_risk import LABEL_DELAY_DAYS
from ml.features.extract import HISTORY_DAYS, extract
from ml.transactions import LABEL_SCHEMA, SCHEMA

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
COUNTRIES = ("CI", "KE", "MA", None)


def drawn(seed: int, rows: int = 1500, days: int = 160) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Transactions with peers of one moment, a client that makes a third of them, gaps everywhere, and late labels."""
    rng = np.random.default_rng(seed)
    clients = np.where(rng.random(rows) < 0.33, 1, rng.integers(1, 25, rows))
    # Every tenth moment is shared with others: to the hour, as some sources have it.
    seconds = rng.integers(0, days * 86_400, rows)
    seconds = np.where(rng.random(rows) < 0.1, seconds // 3600 * 3600, seconds)
    places = rng.integers(0, 6, rows)
    minor = np.where(clients == 2, 5_000, rng.integers(0, 400_000, rows))
    cents = np.where(places == 5, 1, 100)
    values: dict[str, Any] = {
        "transaction_id": [f"T{number:06}" for number in rng.permutation(rows)],
        "transaction_ts": [BEGIN + timedelta(seconds=int(second), milliseconds=7) for second in seconds],
        "date_key": np.full(rows, 20240101),
        "client": clients,
        "beneficiary": [None if key == 0 else int(key) for key in rng.integers(0, 30, rows)],
        "service": rng.integers(1, 5, rows),
        "channel": rng.integers(1, 4, rows),
        "location": [None if place == 0 else int(place) for place in places],
        "currency": np.ones(rows),
        "amount_minor": minor,
        "amount": minor / cents,
        "latitude": [None if place < 2 else float(place * 3.3 - 7) for place in places],
        "longitude": [None if place < 2 else float(11 - place * 4.1) for place in places],
        "location_country": [COUNTRIES[place % 4] for place in places],
        "client_country": [COUNTRIES[client % 4] for client in clients],
        "customer_segment": ["A"] * rows,
        "company_size": [("MICRO", "LARGE", "OTHER")[client % 3] for client in clients],
        "risk_level": [("LOW", None)[client % 2] for client in clients],
        "kyc_level": [client % 3 or None for client in clients],
        "onboarded_on": [date(2023, 1, 1) if client % 5 else None for client in clients],
    }
    transactions = pl.DataFrame(values, strict=False).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    delays = rng.integers(0, 20 * 86_400, rows)
    labels = transactions.select(
        "transaction_id",
        is_fraud=pl.Series(rng.random(rows) < 0.12),
        reported_at=pl.col("transaction_ts") + pl.Series(delays).cast(pl.Duration("ms")) * 1000,
    ).select(pl.col(name).cast(kind) for name, kind in LABEL_SCHEMA.items())
    return transactions, labels


def differences(transactions: pl.DataFrame, labels: pl.DataFrame, *, leaks: bool = False) -> dict[str, int]:
    return compare(transactions, labels, leaks=leaks).different


@pytest.mark.parametrize("seed", [1, 2])
def test_batch_is_what_the_definitions_say(seed: int) -> None:
    assert differences(*drawn(seed)) == {}


def test_moments_on_the_minute_belong_to_it() -> None:
    """A minute taken from hours as a fraction was the one before, for some moments without seconds."""
    transactions, labels = drawn(8, rows=600)
    on_the_minute = transactions.with_columns(pl.col("transaction_ts").dt.truncate("1m"))
    assert differences(on_the_minute, labels) == {}


def test_transactions_of_a_pair_in_one_moment_do_not_know_each_other() -> None:
    transactions, labels = drawn(9, rows=600, days=60)
    crowded = transactions.with_columns(pl.col("transaction_ts").dt.truncate("12h"), pl.col("beneficiary") % 3 + 1)
    assert crowded.select("client", "beneficiary", "transaction_ts").is_duplicated().sum() > 50
    assert differences(crowded, labels) == {}


def test_a_location_whose_place_is_given_in_two_ways_has_both() -> None:
    """Places are computed once a location, but only where its transactions agree."""
    transactions, labels = drawn(9, rows=600)
    moved = pl.when(pl.int_range(pl.len()) % 7 == 0).then(2.0).otherwise(0.0)
    assert differences(transactions.with_columns(pl.col("latitude") + moved), labels) == {}
    assert differences(transactions.with_columns(location=pl.lit(None, pl.Int32)), labels) == {}


def test_keys_that_are_far_apart_are_told_apart() -> None:
    """Tables by key would have as many rows as the highest one."""
    transactions, labels = drawn(10, rows=400)
    far = {name: pl.col(name) * 50_000 for name in ("location", "beneficiary", "client")}
    assert differences(transactions.with_columns(**far, service=pl.col("service") * 5_000), labels) == {}


def test_blocks_are_as_good_as_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions, labels = drawn(7)
    whole = extract(transactions.lazy(), labels.lazy()).collect()
    monkeypatch.setattr(blocks, "ROWS", 100)
    assert extract(transactions.lazy(), labels.lazy()).collect().equals(whole)


def test_a_transaction_that_sees_itself_is_noticed() -> None:
    found = differences(*drawn(3, rows=200), leaks=True)
    assert {"client_count_1h", "amount_to_mean_7d", "client_beneficiaries_24h", "beneficiary_count_7d"} <= set(found)


@pytest.mark.parametrize("rows", [64, 1 << 16])
def test_history_is_not_told_but_counts(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some blocks have nothing but history."""
    monkeypatch.setattr(blocks, "ROWS", rows)
    transactions, labels = drawn(7, rows=800)
    days = pl.col("transaction_ts").dt.strftime("%Y%m%d").cast(pl.Int32)
    dated = transactions.with_columns(date_key=days)
    since = 20240607
    wanted = extract(dated.lazy(), labels.lazy(), since).collect()
    assert 0 < wanted["client"].n_unique() < dated["client"].n_unique()
    assert wanted.equals(extract(dated.lazy(), labels.lazy()).filter(pl.col("date_key") >= since).collect())
    assert extract(dated.lazy(), labels.lazy(), 20990101).collect().equals(wanted.clear())


def test_what_is_older_than_history_days_changes_nothing() -> None:
    """Few transactions a beneficiary, so that the last ones of some are older; reports a label delay later, or less."""
    transactions, labels = drawn(8, rows=900, days=300)
    moments = pl.col("transaction_ts")
    dated = transactions.with_columns(date_key=moments.dt.strftime("%Y%m%d").cast(pl.Int32))
    delay = pl.duration(days=LABEL_DELAY_DAYS, hours=pl.int_range(pl.len()) % 24 - 24)
    reports = labels.drop("reported_at").join(
        dated.select("transaction_id", reported_at=moments + delay), "transaction_id"
    )
    day = BEGIN + timedelta(days=250)
    read = dated.filter(moments >= day - timedelta(days=HISTORY_DAYS))
    assert read.height < dated.height
    since = int(f"{day:%Y%m%d}")
    one, other = (extract(rows.lazy(), reports.lazy(), since).collect() for rows in (read, dated))
    assert one.height > 100
    assert_frame_equal(one, other, check_exact=True)


def test_features_do_not_depend_on_the_order_of_the_rows() -> None:
    transactions, labels = drawn(4, rows=500)
    shuffled = transactions.sample(fraction=1, shuffle=True, seed=1)
    one, other = (extract(rows.lazy(), labels.lazy()).collect() for rows in (transactions, shuffled))
    assert one.equals(other)


def test_what_comes_later_changes_nothing() -> None:
    """Transactions, labels and reports after a day are made anew: features of the days before stay bit for bit."""
    transactions, labels = drawn(5)
    day = BEGIN + timedelta(days=100)
    other_transactions, other_labels = drawn(6)
    past = transactions.filter(pl.col("transaction_ts") < day)
    future = other_transactions.filter(pl.col("transaction_ts") >= day).with_columns(
        transaction_id="X" + pl.col("transaction_id")
    )
    known = labels.filter(pl.col("reported_at") < day)
    changed = pl.concat([known, other_labels.with_columns(reported_at=pl.lit(day))]).unique(
        "transaction_id", keep="first"
    )
    one = extract(transactions.lazy(), labels.lazy()).filter(pl.col("transaction_ts") < day).collect()
    two = extract(pl.concat([past, future]).lazy(), changed.lazy()).filter(pl.col("transaction_ts") < day).collect()
    assert one.equals(two)
