"""An evaluation from the warehouse: the rows it needs, its folds, and every contender judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from ml.features.catalogue import FEATURE_NAMES
from ml.features.extract import extract
from ml.fraud.contenders import Contender, contenders
from ml.fraud.evaluate import Evaluation, Judgement
from ml.fraud.findings import findings
from ml.fraud.handbook import NAMES, handbook_features
from ml.fraud.models import SEED
from ml.fraud.protocol import HANDBOOK, Fold, Protocol, folds
from ml.fraud.rows import all_labels, rows_by_day
from ml.fraud.thresholds import Policy, Wishes
from ml.transactions import read_transactions
from warehouse.connection import connect
from warehouse.errors import TrainingError

# In the first month windows are cut short by the beginning of the data: nothing is learned from it.
WARM_UP_DAYS = 30
FOLDS = 4
# Contenders that are judged with limits frozen before each window; the others are compared by their order only.
DETAILED = 2


@dataclass(frozen=True)
class Question:
    """What is to be judged. `since`, `until`: of the test windows; None is the last four whose labels are known.

    `contenders`: None is all of the protocol; the first is reported in detail.
    """

    protocol: Protocol = HANDBOOK
    since: date | None = None
    until: date | None = None
    wishes: Wishes = field(default_factory=lambda: Wishes(Policy.CAPACITY, alerts_a_day=100.0))
    seed: int = SEED
    contenders: Sequence[Contender] | None = None


@dataclass(frozen=True)
class Answer:
    """`document`: what `--json` prints. `judgements`: by contender, then by fold."""

    document: dict[str, Any]
    judgements: list[list[Judgement]]


def answer(url: str, question: Question, say: Callable[[str], None]) -> Answer:
    """Judge by a protocol, on what the warehouse holds.

    Raises:
        TrainingError: no transactions, no labels, or too few days.
    """
    with connect(url) as connection:
        days = rows_by_day(connection)
    if not days:
        raise TrainingError("the warehouse has no transactions", remedy="cauri load")
    labels = all_labels(url)
    if not labels["is_fraud"].any():
        raise TrainingError(
            "the warehouse has no label of a fraud",
            remedy="load the feed fraud_labels (docs/feeds.md): transaction_id, is_fraud, reported_at",
        )
    first = min(days)
    chosen = _folds(question, first, max(days))
    say(f"features of {first} to before {chosen[-1].test.until}")
    transactions = read_transactions(url, None, chosen[-1].test.until).collect()
    return judged(transactions, labels, question, chosen, say)


def judged(
    transactions: pl.DataFrame,
    labels: pl.DataFrame,
    question: Question,
    chosen: Sequence[Fold],
    say: Callable[[str], None],
) -> Answer:
    """As `answer`, of transactions and labels in memory."""
    rows = examples(transactions, labels, with_handbook=question.protocol is HANDBOOK)
    first = transactions["transaction_ts"].dt.date().min()
    assert isinstance(first, date)
    begin = min(first + timedelta(days=WARM_UP_DAYS), chosen[0].train.since)
    evaluation = Evaluation(rows, question.protocol, chosen, begin, question.wishes, question.seed, say)
    found = [
        evaluation.judge(contender, in_detail=place < DETAILED)
        for place, contender in enumerate(question.contenders or contenders(question.protocol))
    ]
    return Answer(findings(question.protocol, chosen, found, question.wishes), found)


def examples(transactions: pl.DataFrame, labels: pl.DataFrame, *, with_handbook: bool) -> pl.DataFrame:
    """Rows with every feature as the models take them, `is_fraud`, and `reported_at` of frauds."""
    names = FEATURE_NAMES
    rows = extract(transactions.lazy(), labels.lazy()).collect()
    if with_handbook:
        rows = rows.with_columns(handbook_features(transactions, labels).drop("transaction_id"))
        names = (*FEATURE_NAMES, *NAMES)
    frauds = labels.filter("is_fraud").select("transaction_id", "is_fraud", "reported_at")
    return (
        rows.with_columns(pl.col(names).cast(pl.Float32))
        .join(frauds, on="transaction_id", how="left", maintain_order="left")
        .with_columns(pl.col("is_fraud").fill_null(value=False))
    )


def _folds(question: Question, first: date, last: date) -> list[Fold]:
    protocol = question.protocol
    until = question.until or last + timedelta(days=1 - protocol.delay)
    since = question.since or until - timedelta(days=FOLDS * protocol.test)
    begin = first if protocol.train else first + timedelta(days=WARM_UP_DAYS)
    return folds(protocol, begin, since, until)
