"""A large warehouse is learned from, judged and scored in parts: into however many, it comes to the same."""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ml import transactions as module
from ml.fraud import evaluation, rows, score, windows
from ml.fraud.boosters import BoosterParameters
from ml.fraud.contenders import Contender
from ml.fraud.evaluation import Answer, Question, answer
from ml.fraud.protocol import TIME_FORWARD
from ml.fraud.score import score_days
from ml.fraud.train import train
from ml.transactions import Transactions
from tests.scoring import ORDER, Scoring, Trained, copied, silent
from warehouse.connection import connect

Days = tuple[date, date]
FEW = 700
CONTENDER = Contender("Cauri", parameters=BoosterParameters(trees=10, depth=3, bags=1))


@pytest.fixture
def warehouse(trained_warehouse: Trained) -> Iterator[Scoring]:
    with copied(trained_warehouse) as one:
        yield one


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Days]:
    """Days that are read from the server, as they are read."""
    found: list[Days] = []
    read = module._facts

    def noted(parts: Iterator[Days]) -> Iterator[Days]:
        for days in parts:
            found.append(days)
            yield days

    def facts(url: str, parts: Iterator[Days]) -> dict[Days, pl.DataFrame]:
        return read(url, noted(parts))

    monkeypatch.setattr(module, "_facts", facts)
    return found


def days_of(url: str) -> list[date]:
    with connect(url) as connection:
        return sorted(rows.rows_by_day(connection))


def test_what_two_spans_share_is_read_once(warehouse: Scoring, readings: list[Days]) -> None:
    first, last = days_of(warehouse.url)[0], days_of(warehouse.url)[-1] + timedelta(days=1)
    spans = [
        (first, first + timedelta(days=40)),
        (first + timedelta(days=9), first + timedelta(days=55)),
        (first + timedelta(days=80), last),
        # Back again: nothing of it is held.
        (first + timedelta(days=5), first + timedelta(days=20)),
    ]
    given = Transactions(warehouse.url)
    for since, until in spans:
        fresh = Transactions(warehouse.url).of(since, until).collect()
        readings.clear()
        assert_frame_equal(given.of(since, until).collect(), fresh, check_row_order=False)
        assert fresh["date_key"].n_unique() > 5
    readings.clear()
    given.of(first + timedelta(days=10), first + timedelta(days=20))
    assert not readings
    given.of(first + timedelta(days=10), first + timedelta(days=31))
    assert min(readings)[0] == first + timedelta(days=20)


def test_a_model_learned_in_parts_is_the_same(warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "rows_at_once", lambda: FEW)
    again = train(warehouse.url, warehouse.registry, ORDER, silent)
    assert again.version == warehouse.registry.stages.champion


def test_scores_written_in_parts_are_the_same(warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    score_days(warehouse.site, None)
    whole = scores(warehouse.url)
    monkeypatch.setattr(score, "rows_at_once", lambda: FEW)
    assert score_days(warehouse.site, None).transactions == whole.height
    assert scores(warehouse.url).equals(whole)


def test_an_evaluation_in_parts_says_the_same(warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(TIME_FORWARD, contenders=(CONTENDER,))
    whole = answer(warehouse.url, question, silent)
    monkeypatch.setattr(evaluation, "rows_at_once", lambda: FEW)
    assert answer(warehouse.url, question, silent).document == whole.document


def test_an_evaluation_learns_from_no_more_than_a_training(warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(TIME_FORWARD, contenders=(CONTENDER,))
    assert (begin := began(answer(warehouse.url, question, silent))) == days_of(warehouse.url)[0] + timedelta(days=30)
    monkeypatch.setattr(windows, "ROWS_AT_MOST", 1500)
    assert began(answer(warehouse.url, question, silent)) > begin


def began(told: Answer) -> date:
    return date.fromisoformat(told.document["folds"][0]["train"]["since"])


def scores(url: str) -> pl.DataFrame:
    """Without their moments."""
    with connect(url) as connection:
        found = connection.execute(
            "SELECT transaction_id, date_key, fraud_score, band, reasons FROM ml.fraud_score ORDER BY 1"
        ).fetchall()
    return pl.DataFrame(found, orient="row")
