"""Folds, the removal of known clients, and what a team of so many a day would find."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ml.fraud.metrics import Scored, average_precision, best_precision_at, interval, precision_at, value_recall
from ml.fraud.protocol import HANDBOOK, TIME_FORWARD, earlier, fold_of, folds
from ml.fraud.trial import rows_to_test, thinned, training_rows
from ml.fraud.windows import Days
from partitions.grain import date_key
from tests.invented import shuffled_labels
from warehouse.errors import TrainingError

FIRST = date(2018, 4, 1)


def test_folds_of_the_handbook_are_its_weeks() -> None:
    found = folds(HANDBOOK, FIRST, date(2018, 8, 8), date(2018, 9, 5))
    assert [fold.train.since for fold in found] == [date(2018, 7, 25) + timedelta(days=7 * week) for week in range(4)]
    assert found[0].train == Days(date(2018, 7, 25), date(2018, 8, 1))
    assert found[0].known == Days(date(2018, 8, 1), date(2018, 8, 8))
    assert found[0].test == Days(date(2018, 8, 8), date(2018, 8, 15))


def test_a_last_day_counts_whether_it_is_named_or_the_day_after() -> None:
    both = [folds(HANDBOOK, FIRST, date(2018, 7, 4), until) for until in (date(2018, 8, 1), date(2018, 8, 2))]
    assert [len(found) for found in both] == [4, 4]


def test_limits_are_frozen_on_a_fold_whose_labels_are_known() -> None:
    fold = fold_of(HANDBOOK, FIRST, date(2018, 8, 8))
    before = earlier(HANDBOOK, fold, FIRST)
    assert before is not None
    assert before.test.until + timedelta(days=HANDBOOK.delay) <= fold.test.since
    assert earlier(HANDBOOK, fold_of(HANDBOOK, FIRST, date(2018, 4, 15)), FIRST) is None


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        (date(2018, 7, 4), date(2018, 7, 8), "a test window of the protocol handbook takes 7"),
        (date(2018, 4, 5), date(2018, 5, 1), "transactions begin on 2018-04-01"),
    ],
)
def test_days_that_do_not_suffice_are_told(since: date, until: date, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        folds(HANDBOOK, FIRST, since, until)


def rows(*made: tuple[int, str, bool]) -> pl.DataFrame:
    """Transactions as (client, day, is fraud), frauds reported seven days later."""
    days = [date.fromisoformat(day) for _, day, _ in made]
    return pl.DataFrame(
        {
            "client": [client for client, _, _ in made],
            "date_key": [date_key(day) for day in days],
            "is_fraud": [fraud for *_, fraud in made],
            "reported_at": [
                datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=7) if made[place][2] else None
                for place, day in enumerate(days)
            ],
        },
        schema_overrides={"reported_at": pl.Datetime("us", "UTC"), "date_key": pl.Int32},
    )


def test_clients_leave_the_test_on_the_day_after_their_report() -> None:
    fold = fold_of(HANDBOOK, FIRST, date(2018, 8, 8))
    found = rows_to_test(
        rows(
            (1, "2018-07-26", True), (1, "2018-08-08", True),  # known from training
            (2, "2018-08-01", True), (2, "2018-08-08", False), (2, "2018-08-09", True),  # reported during 08-08
            (3, "2018-07-20", True), (3, "2018-08-10", True),  # before training: long dealt with
            (4, "2018-08-08", True), (4, "2018-08-12", False),  # not known yet
        ),
        fold,
        HANDBOOK,
    )  # fmt: skip
    assert found.sort("date_key", "client").select("client", "date_key").rows() == [
        (2, 20180808), (4, 20180808), (3, 20180810), (4, 20180812)
    ]  # fmt: skip


def test_training_does_not_know_what_was_reported_later() -> None:
    fold = fold_of(TIME_FORWARD, FIRST, date(2018, 8, 8))
    made = rows((1, "2018-07-31", True), (2, "2018-07-31", True))
    late = made.with_columns(
        reported_at=pl.when(pl.col("client") == 2)
        .then(pl.lit(datetime(2018, 8, 9, tzinfo=UTC)))
        .otherwise("reported_at")
    )
    assert training_rows(late, fold)["is_fraud"].to_list() == [True, False]


def scored(*made: tuple[float, bool, int, int]) -> Scored:
    """As (score, is fraud, client, day)."""
    score, labels, client, day = zip(*made, strict=True)
    return Scored(np.array(score), np.array(labels), np.array(client), np.array(day), np.full(len(score), 10.0))


def test_who_was_found_is_not_looked_at_again() -> None:
    made = scored(
        (0.9, False, 1, 1), (0.8, True, 2, 1), (0.7, True, 2, 1), (0.1, True, 3, 1),
        (0.9, True, 2, 2), (0.5, True, 3, 2), (0.4, False, 1, 2),
    )  # fmt: skip
    # Day 1: clients 1 and 2, one find. Day 2 without client 2: clients 3 and 1, one find.
    assert precision_at(made, 2) == pytest.approx(0.5)
    # At best day 1 finds 2 and 3, and day 2 has nobody left to find.
    assert best_precision_at(made, 2) == pytest.approx(0.5)


def test_a_client_with_two_frauds_is_one_find() -> None:
    assert precision_at(scored((0.9, True, 1, 1), (0.8, True, 1, 1), (0.7, False, 2, 1)), 2) == pytest.approx(0.5)


def test_amounts_are_recalled_by_the_highest_scores() -> None:
    assert value_recall(scored((0.9, False, 1, 1), (0.8, True, 2, 1), (0.1, True, 3, 1)), 2) == pytest.approx(0.5)


def test_an_interval_holds_the_measure_and_is_the_same_twice() -> None:
    rng = np.random.default_rng(1)
    labels = rng.random(2000) < 0.1
    made = Scored(
        labels + rng.normal(size=2000), labels, rng.integers(0, 200, 2000), np.ones(2000, np.int64), np.ones(2000)
    )
    low, high = interval(made, average_precision)
    assert low < average_precision(made) < high
    assert (low, high) == interval(made, average_precision)


def test_an_interval_of_finds_lies_about_them() -> None:
    rng = np.random.default_rng(2)
    labels = rng.random(3000) < 0.05
    made = Scored(
        labels + rng.normal(size=3000), labels, rng.integers(0, 600, 3000), np.arange(3000) // 1000, np.ones(3000)
    )
    low, high = interval(made, lambda sample: precision_at(sample, 20))
    assert low < precision_at(made, 20) < high


def test_dealt_out_labels_keep_their_number_and_their_reports() -> None:
    made = rows(*((client, "2018-07-31", client % 3 == 0) for client in range(30)))
    dealt = shuffled_labels(made, seed=1)
    assert dealt["is_fraud"].sum() == made["is_fraud"].sum()
    assert dealt.filter("is_fraud")["reported_at"].null_count() == 0
    assert not dealt["is_fraud"].equals(made["is_fraud"])


def test_of_many_honest_transactions_some_are_drawn_and_every_fraud_stays() -> None:
    made = rows(*((client, "2018-07-31", client % 50 == 0) for client in range(2000))).with_columns(
        transaction_ts=pl.lit(datetime(2018, 7, 31, tzinfo=UTC)), transaction_id=pl.int_range(pl.len()).cast(pl.String)
    )
    few = thinned(made, seed=1, most=300)
    assert few["is_fraud"].sum() == 40
    assert 200 < few.height - 40 < 400
    assert few.equals(thinned(made, seed=1, most=300))
    # As other surrogate keys would have them.
    elsewhere = thinned(made.sample(fraction=1, shuffle=True, seed=2), seed=1, most=300)
    assert set(elsewhere["transaction_id"]) == set(few["transaction_id"])
    assert thinned(made, seed=1, most=5000).equals(made)
