"""Training on, and scores in, a real warehouse."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from ml.features.catalogue import FEATURES
from ml.fraud.drifting import drift_of_days
from ml.fraud.explain import SUM_TOLERANCE
from ml.fraud.explanation import explain_transaction
from ml.fraud.registry import Registry
from ml.fraud.rows import parts
from ml.fraud.score import score_days, score_new
from ml.fraud.scores import Work, leaves_of, write_scores
from ml.fraud.train import train
from ml.fraud.windows import Days, Lengths
from partitions.policy import read_policies
from tests.loading import SERVICE, load, new_folder, rows_of, transaction, write_feed
from tests.scoring import LENGTHS, ORDER, Scoring, Trained, copied, silent
from warehouse.connection import connect
from warehouse.errors import (
    ConfigurationError,
    ModelError,
    NothingToDoError,
    TargetError,
    TrainingError,
    TransientTargetError,
)
from warehouse.lock import single_writer

ALL = "SELECT transaction_id, date_key, fraud_score, band, reasons, model_version FROM ml.fraud_score ORDER BY 1, 2"


@pytest.fixture
def warehouse(trained_warehouse: Trained) -> Iterator[Scoring]:
    with copied(trained_warehouse) as one:
        yield one


def test_every_transaction_has_one_score_with_reasons_where_a_person_looks(warehouse: Scoring) -> None:
    done = score_days(warehouse.site, None)
    unscored = (
        "SELECT count(*) FROM dwh.fact_transactions f FULL JOIN ml.fraud_score s USING (transaction_id, date_key)"
        " WHERE f.date_key IS NULL OR s.date_key IS NULL"
    )
    assert rows_of(warehouse.url, unscored) == [(0,)]
    assert rows_of(warehouse.url, "SELECT count(*) FROM ml.fraud_score") == [(done.transactions,)]
    assert rows_of(warehouse.url, "SELECT DISTINCT model_version FROM ml.fraud_score") == [
        (warehouse.registry.stages.champion,)
    ]
    reasons = "SELECT max(cardinality(reasons)), min(cardinality(reasons)) FROM ml.fraud_score WHERE band"
    assert rows_of(warehouse.url, f"{reasons} = 'allow'") == [(0, 0)]
    ((most, _),) = rows_of(warehouse.url, f"{reasons} <> 'allow'")
    assert 1 <= most <= 3
    families = {feature.family for feature in FEATURES}
    assert {
        reason for (reason,) in rows_of(warehouse.url, "SELECT DISTINCT unnest(reasons) FROM ml.fraud_score")
    } <= families


def test_frauds_score_higher(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    means = (
        "SELECT coalesce(is_fraud, false), avg(fraud_score) FROM ml.fraud_score LEFT JOIN ml.fraud_label"
        " USING (transaction_id) GROUP BY 1 ORDER BY 1"
    )
    (_, honest), (_, fraud) = rows_of(warehouse.url, means)
    assert fraud > 3 * honest


def test_scoring_again_replaces_to_the_bit(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    first = rows_of(warehouse.url, ALL)
    score_days(warehouse.site, None)
    assert rows_of(warehouse.url, ALL) == first


def test_days_alone_have_the_scores_that_all_days_gave_them(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    first = rows_of(warehouse.url, ALL)
    days = Days(date(2024, 3, 10), date(2024, 3, 12))
    rows_of(warehouse.url, "DELETE FROM ml.fraud_score WHERE date_key IN (20240310, 20240311) RETURNING 1")
    done = score_days(warehouse.site, days)
    assert done.days == 2
    assert rows_of(warehouse.url, ALL) == first


def test_scores_are_in_the_ledger_leaf_by_leaf(warehouse: Scoring) -> None:
    done = score_days(warehouse.site, None)
    ledger = "SELECT sum(row_count)::int, count(DISTINCT leaf) FROM ops.leaf WHERE state = 'scored'"
    assert rows_of(warehouse.url, ledger) == [(done.transactions, 4)]
    run = "SELECT status, summary ->> 'transactions' FROM ops.run WHERE command = 'fraud score'"
    assert rows_of(warehouse.url, run) == [("done", str(done.transactions))]


def test_a_night_without_news_has_nothing_to_score(warehouse: Scoring) -> None:
    with pytest.raises(NothingToDoError, match="no transaction was loaded"):
        score_new(warehouse.site)
    assert rows_of(warehouse.url, "SELECT count(*) FROM ops.run WHERE command = 'fraud score'") == [(0,)]


def delivered(warehouse: Scoring, *rows: dict[str, str]) -> None:
    folder = new_folder("delivery")
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", rows)
    load(folder, warehouse.url)


def test_what_is_new_and_what_changed_is_scored_and_nothing_else(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    rows_of(warehouse.url, "UPDATE ml.fraud_score SET scored_at = '2000-01-01' RETURNING 1")
    (changed,) = rows_of(
        warehouse.url, "SELECT transaction_id FROM dwh.fact_transactions WHERE date_key = 20240215 LIMIT 1"
    )[0]
    new = transaction(1, transaction_ts="2024-04-20T10:00:00Z")
    later = {"transaction_ts": "2024-02-15T10:00:00Z", "updated_at": "2030-01-01T00:00:00Z", "transaction_id": changed}
    delivered(warehouse, new, transaction(2, **later))
    done = score_new(warehouse.site)
    assert (done.transactions, done.days) == (2, 2)
    rescored = rows_of(warehouse.url, "SELECT transaction_id FROM ml.fraud_score WHERE scored_at > '2001-01-01'")
    assert sorted(rescored) == sorted([(changed,), ("T1",)])
    assert rows_of(warehouse.url, f"SELECT count(*) FROM ml.fraud_score WHERE transaction_id = '{changed}'") == [(1,)]
    with pytest.raises(NothingToDoError):
        score_new(warehouse.site)


def test_what_came_between_two_trainings_of_the_same_model_is_still_new(warehouse: Scoring) -> None:
    delivered(warehouse, transaction(1, transaction_ts="2024-05-20T10:00:00Z"))
    again = train(warehouse.url, warehouse.registry, replace(ORDER, until=date(2024, 5, 1)), silent)
    assert again.version == warehouse.registry.stages.champion
    assert score_new(warehouse.site).transactions == 1


def test_a_transaction_whose_day_changed_never_has_two_scores(warehouse: Scoring) -> None:
    delivered(warehouse, transaction(1, transaction_ts="2024-02-15T10:00:00Z"))
    score_new(warehouse.site)
    moved = transaction(1, transaction_ts="2024-03-15T10:00:00Z", updated_at="2030-01-01T00:00:00Z")
    delivered(warehouse, moved)
    days = "SELECT date_key FROM ml.fraud_score WHERE transaction_id = 'T1'"
    assert rows_of(warehouse.url, days) == []
    score_new(warehouse.site)
    assert rows_of(warehouse.url, days) == [(20240315,)]


def test_a_run_that_was_killed_leaves_its_rows_to_the_next_scoring(warehouse: Scoring) -> None:
    delivered(warehouse, transaction(1, transaction_ts="2024-04-20T10:00:00Z"))
    rows_of(
        warehouse.url,
        "UPDATE ops.run SET status = 'running', summary = NULL WHERE command = 'load' AND run_id > 1 RETURNING 1",
    )
    assert score_new(warehouse.site).transactions == 1


def test_transactions_outside_all_leaves_of_scores_get_one(warehouse: Scoring) -> None:
    (leaves,) = rows_of(warehouse.url, "SELECT count(*) FROM pg_partition_tree('ml.fraud_score') WHERE isleaf")[0]
    delivered(warehouse, transaction(1, transaction_ts="2022-05-15T10:00:00Z"))
    score_new(warehouse.site)
    unique = (
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'dwh_parts' AND tablename = 'fraud_score_2022_05'"
        " AND indexdef LIKE 'CREATE UNIQUE%(transaction_id)'"
    )
    assert rows_of(warehouse.url, unique) == [(1,)]
    after = rows_of(warehouse.url, "SELECT count(*) FROM pg_partition_tree('ml.fraud_score') WHERE isleaf")
    assert after[0][0] > leaves


def test_a_client_without_history_is_scored(warehouse: Scoring) -> None:
    delivered(warehouse, transaction(1, client_id="NEW", transaction_ts="2024-04-20T10:00:00Z"))
    score_new(warehouse.site)
    (found,) = rows_of(warehouse.url, "SELECT fraud_score FROM ml.fraud_score WHERE transaction_id = 'T1'")[0]
    assert 0 <= found <= 1
    explained = explain_transaction(warehouse.url, warehouse.registry.load(), "T1")
    assert any(feature["value"] is None for feature in explained.features)


def test_who_scores_waits_for_nobody_and_changes_nothing(warehouse: Scoring) -> None:
    with single_writer(warehouse.url), pytest.raises(TransientTargetError, match="another run is writing"):
        score_days(warehouse.site, None)
    assert rows_of(warehouse.url, "SELECT count(*) FROM ml.fraud_score") == [(0,)]


def test_a_scoring_that_fails_midway_keeps_the_old_scores(warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    score_days(warehouse.site, None)
    before = rows_of(warehouse.url, ALL)

    def cut(*_: object) -> None:
        raise TransientTargetError("cut")

    monkeypatch.setattr("ml.fraud.scores.record_work", cut)
    with pytest.raises(TransientTargetError, match="cut"):
        score_days(warehouse.site, None)
    assert rows_of(warehouse.url, ALL) == before
    runs = "SELECT status FROM ops.run WHERE command = 'fraud score' ORDER BY run_id"
    assert rows_of(warehouse.url, runs) == [("done",), ("failed",)]


def test_what_is_explained_is_what_was_scored(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    query = (
        "SELECT transaction_id, fraud_score, band, reasons FROM ml.fraud_score"
        " WHERE band <> 'allow' ORDER BY fraud_score LIMIT 1"
    )
    ((transaction_id, score, band, reasons),) = rows_of(warehouse.url, query)
    found = explain_transaction(warehouse.url, warehouse.registry.load(), transaction_id)
    assert (found.fraud_score, found.band, found.reasons) == (score, band, reasons)
    assert abs(found.base + sum(found.families.values()) - found.margin) < SUM_TOLERANCE
    assert abs(found.base + sum(one["contribution"] for one in found.features) - found.margin) < SUM_TOLERANCE
    assert found.stored is not None
    assert found.stored["fraud_score"] == score
    assert transaction_id not in json.dumps(found.to_json("fr"), default=str)


def test_a_transaction_that_is_not_there_has_no_explanation(warehouse: Scoring) -> None:
    with pytest.raises(ConfigurationError, match="no transaction of this id") as caught:
        explain_transaction(warehouse.url, warehouse.registry.load(), "SECRET-1")
    assert "SECRET" not in str(caught.value)


def test_days_without_transactions_have_nothing_to_score(warehouse: Scoring) -> None:
    with pytest.raises(NothingToDoError, match="from 2024-01-01 to 2024-04-30"):
        score_days(warehouse.site, Days(date(2020, 1, 1), date(2020, 2, 1)))


def test_training_again_on_the_same_rows_gives_the_same_version(warehouse: Scoring) -> None:
    again = train(warehouse.url, warehouse.registry, ORDER, silent)
    assert again.version == warehouse.registry.stages.champion
    other = train(warehouse.url, warehouse.registry, replace(ORDER, seed=1), silent)
    assert (other.version != again.version, other.stage) == (True, "shadow")
    assert other.champion is not None
    assert other.champion["model_version"] == again.version
    promoted = train(warehouse.url, warehouse.registry, replace(ORDER, seed=2, promote=True), silent)
    assert warehouse.registry.stages.champion == promoted.version


def test_labels_that_were_reported_later_do_not_enter_a_training_as_of_then(warehouse: Scoring) -> None:
    as_of = replace(ORDER, until=date(2024, 4, 10), lengths=replace(LENGTHS, calibration=14, threshold=14))
    before = train(warehouse.url, warehouse.registry, as_of, silent)
    rows_of(warehouse.url, "DELETE FROM ml.fraud_label WHERE reported_at >= '2024-04-10Z' RETURNING 1")
    rows_of(warehouse.url, "DELETE FROM dwh.fact_transactions WHERE date_key >= 20240410 RETURNING 1")
    assert train(warehouse.url, warehouse.registry, as_of, silent).version == before.version


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        (replace(LENGTHS, calibration=400), "the calibration window|the train window"),
        (replace(LENGTHS, delay=300), "has no transactions; there are some from 2024-01-01"),
    ],
)
def test_windows_without_what_they_need_are_named(warehouse: Scoring, lengths: Lengths, said: str) -> None:
    with pytest.raises(TrainingError, match=said) as caught:
        train(warehouse.url, warehouse.registry, replace(ORDER, lengths=lengths), silent)
    assert caught.value.remedy


def test_a_training_window_of_one_class_is_named(warehouse: Scoring) -> None:
    rows_of(warehouse.url, "DELETE FROM ml.fraud_label WHERE reported_at < '2024-04-01' RETURNING 1")
    with pytest.raises(TrainingError, match="examples are honest"):
        train(warehouse.url, warehouse.registry, ORDER, silent)


def test_training_needs_labels(warehouse: Scoring) -> None:
    rows_of(warehouse.url, "DELETE FROM ml.fraud_label RETURNING 1")
    with pytest.raises(TrainingError, match="no label") as caught:
        train(warehouse.url, warehouse.registry, ORDER, silent)
    assert "fraud_labels" in caught.value.remedy


def test_training_needs_transactions(database_url: str) -> None:
    with pytest.raises(TrainingError, match="no transactions"):
        train(database_url, Registry(new_folder("models")), ORDER, silent)


def test_a_changed_model_scores_nothing(warehouse: Scoring) -> None:
    champion = warehouse.registry.stages.champion
    assert champion
    model = warehouse.registry.folder / champion / "model.ubj"
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match=r"model\.ubj differs"):
        score_days(warehouse.site, None)
    assert rows_of(warehouse.url, "SELECT count(*) FROM ops.run WHERE command = 'fraud score'") == [(0,)]


def test_two_scores_of_one_transaction_are_refused(warehouse: Scoring) -> None:
    doubled = pl.DataFrame({"transaction_id": ["T1", "T1"], "date_key": [20240101, 20240101]})
    with connect(warehouse.url) as connection:
        (leaf,) = leaves_of(connection, read_policies(), [20240101], "UTC")
        with pytest.raises(TargetError, match="two scores"):
            write_scores(Work(connection, 1, "w"), leaf, doubled, whole=True)


def test_drift_of_the_newest_days_and_of_days_that_are_not_there(warehouse: Scoring) -> None:
    model = warehouse.registry.load()
    days, report = drift_of_days(warehouse.url, model, None, None)
    assert (days.number, days.until) == (7, date(2024, 5, 1))
    assert len(report.columns) == len(FEATURES) + 1
    assert report.columns[0].name == "fraud_score"
    with pytest.raises(NothingToDoError):
        drift_of_days(warehouse.url, model, date(2030, 1, 1), None)


def test_the_policies_of_scores_are_needed(warehouse: Scoring) -> None:
    others = [policy for policy in read_policies() if policy.name != "ml.fraud_score"]
    with (
        connect(warehouse.url) as connection,
        pytest.raises(ConfigurationError, match=r"no policy for ml\.fraud_score"),
    ):
        leaves_of(connection, others, [20240101], "UTC")


def test_days_far_apart_are_read_apart() -> None:
    first = date(2024, 1, 31)
    days = [int(f"{first + timedelta(days=n):%Y%m%d}") for n in (0, 1, 30, 400)]
    assert list(parts(dict.fromkeys(days, 10), 1_000_000)) == [days[:3], days[3:]]
    assert list(parts(dict.fromkeys(days[:3], 400_000), 1_000_000)) == [days[:2], days[2:3]]
    assert list(parts(dict.fromkeys(days[:3], 4_000_000), 1_000_000)) == [[day] for day in days[:3]]
