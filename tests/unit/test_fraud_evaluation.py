"""Models judged forward in time on invented transactions, and that nothing is found where nothing is to be learned."""

import json
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from ml.fraud.boosters import BoosterParameters
from ml.fraud.contenders import Contender
from ml.fraud.evaluate import Evaluation
from ml.fraud.evaluation import Answer, Question, examples, judged
from ml.fraud.models import Kind
from ml.fraud.page import page
from ml.fraud.protocol import TIME_FORWARD, folds
from partitions.grain import date_key
from tests.invented import shuffled_labels
from tests.unit.test_features_parity import BEGIN, drawn
from warehouse.errors import TrainingError

FIRST = BEGIN.date()
SMALL = BoosterParameters(trees=15, depth=3, bags=1)
OURS = Contender("Cauri", parameters=SMALL)
QUESTION = Question(replace(TIME_FORWARD, test=14), contenders=(OURS, Contender("rule", Kind.RULE)))
FOLDS = folds(QUESTION.protocol, FIRST + timedelta(days=30), FIRST + timedelta(days=120), FIRST + timedelta(days=148))


def silent(_: str) -> None: ...


def invented() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Transactions of which the largest are fraud, two in three of them; reported two days later."""
    transactions, _ = drawn(9, rows=4000)
    large = transactions.filter((pl.col("amount") > 3500) & (pl.col("amount_minor") % 3 > 0))
    labels = large.select("transaction_id", is_fraud=True, reported_at=pl.col("transaction_ts") + timedelta(days=2))
    days = pl.col("transaction_ts").dt.strftime("%Y%m%d").cast(pl.Int32)
    return transactions.with_columns(date_key=days), labels


@pytest.fixture(scope="module")
def answered() -> Answer:
    transactions, labels = invented()
    return judged(transactions, labels, QUESTION, FOLDS, silent)


def test_what_can_be_learned_is_found(answered: Answer) -> None:
    ours, rule = answered.document["contenders"]
    assert ours["mean"]["average_precision"] > 4 * ours["mean"]["prevalence"]
    assert ours["mean"]["auc"] > 0.9
    assert rule["mean"]["average_precision"] > 2 * rule["mean"]["prevalence"]
    assert ours["mean"]["precision_at"] <= ours["mean"]["best_precision_at"]


def test_limits_were_frozen_before_each_window(answered: Answer) -> None:
    for one in answered.judgements[0]:
        assert one.frozen is not None
        assert one.probability is not None
        assert 0 <= one.probability.min() <= one.probability.max() <= 1
    spans = answered.document["certainty"]["by_fold"]
    assert all(low <= high for fold in spans for low, high in fold.values())


def test_other_keys_of_clients_change_nothing(answered: Answer) -> None:
    transactions, labels = invented()
    elsewhere = transactions.with_columns(client=1000 - pl.col("client"))
    assert judged(elsewhere, labels, QUESTION, FOLDS, silent).document == answered.document


def test_dealt_out_labels_teach_nothing() -> None:
    transactions, labels = invented()
    rows = shuffled_labels(examples(transactions, labels, with_handbook=False), seed=3)
    evaluation = Evaluation(rows, QUESTION.protocol, FOLDS, FIRST, QUESTION.wishes)
    for one in evaluation.judge(OURS, in_detail=False):
        assert one.measures["average_precision"] < 2.5 * one.measures["prevalence"]
        assert 0.3 < one.measures["auc"] < 0.7


def test_the_document_is_json_and_the_page_needs_no_network(answered: Answer) -> None:
    assert json.loads(json.dumps(answered.document))["folds"][0]["test"]["since"] == str(FOLDS[0].test.since)
    html = page(answered.document, answered.judgements)
    assert "Calibration: share of frauds at each score" in html
    assert "<script src=" not in html
    assert "<td>Cauri</td>" in html


def test_a_window_without_fraud_is_told() -> None:
    transactions, labels = invented()
    before = labels.filter(pl.col("reported_at") < BEGIN + timedelta(days=110))
    with pytest.raises(TrainingError, match=r"the test window has 0 frauds among \d+ transactions"):
        judged(transactions, before, QUESTION, FOLDS, silent)


def test_of_some_windows_those_without_fraud_are_left_out(answered: Answer) -> None:
    transactions, labels = invented()
    second = FOLDS[1].test
    quiet = labels.join(
        transactions.filter(pl.col("transaction_ts").dt.date() >= second.since), on="transaction_id", how="anti"
    )
    said: list[str] = []
    found = judged(transactions, quiet, QUESTION, FOLDS, said.append)
    assert found.document["folds"] == answered.document["folds"][:1]
    assert found.document["left_out"] == [second.to_json()]
    assert f"left out, for one kind of transaction only: tests from {second.since}" in said
    assert "1 left out for want of one kind" in page(found.document, found.judgements)
    assert answered.document["left_out"] == []


def test_training_without_fraud_is_told() -> None:
    transactions, labels = invented()
    late = labels.with_columns(reported_at=pl.lit(date(2024, 6, 30)).cast(pl.Datetime("us", "UTC")))
    with pytest.raises(TrainingError, match="are honest: there is nothing to tell apart"):
        judged(transactions, late, QUESTION, FOLDS, silent)


def test_no_limits_are_frozen_on_an_earlier_fold_that_has_nothing_to_learn_from() -> None:
    transactions, labels = invented()
    rows = examples(transactions, labels, with_handbook=False)
    # All that the fold before this one would learn from is honest.
    fold = FOLDS[0]
    quiet = rows.with_columns(pl.col("is_fraud") & (pl.col("date_key") >= date_key(fold.train.until - timedelta(7))))
    evaluation = Evaluation(quiet, QUESTION.protocol, [fold], FIRST, QUESTION.wishes)
    assert [one.frozen for one in evaluation.judge(OURS, in_detail=True)] == [None]
