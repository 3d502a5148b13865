"""An evaluation from the warehouse: the rows it needs, its folds, and every contender judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from ml.features.extract import HISTORY_DAYS, extract
from ml.fraud.contenders import Contender, contenders
from ml.fraud.evaluate import Evaluation, Judgement
from ml.fraud.examples import ORDER
from ml.fraud.findings import findings
from ml.fraud.handbook import NAMES, handbook_features
from ml.fraud.models import SEED
from ml.fraud.protocol import HANDBOOK, Fold, Protocol, folds
from ml.fraud.rows import all_labels, parts, rows_at_once, rows_by_day, spanned
from ml.fraud.thresholds import Policy, Wishes
from ml.fraud.trial import tells_apart
from ml.fraud.windows import Days, newest_with
from ml.transactions import Transactions
from partitions.grain import date_key
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
    chosen = _folds(question, days)
    begin = _begin(days, chosen)
    say(f"features of {begin} to before {chosen[-1].test.until}")
    there = {date_key(day): rows for day, rows in days.items() if begin <= day < chosen[-1].test.until}
    transactions = Transactions(url)
    rows = [_of_part(transactions, spanned(part), labels, question.protocol) for part in parts(there, rows_at_once())]
    return _judged(pl.concat(rows), question, chosen, begin, say)


def judged(
    transactions: pl.DataFrame,
    labels: pl.DataFrame,
    question: Question,
    chosen: Sequence[Fold],
    say: Callable[[str], None],
) -> Answer:
    """As `answer`, of transactions and labels in memory."""
    rows = examples(transactions, labels, with_handbook=question.protocol is HANDBOOK)
    days = transactions["transaction_ts"].dt.date().value_counts()
    return _judged(rows, question, chosen, _begin(dict(days.rows()), chosen), say)


def _judged(
    rows: pl.DataFrame, question: Question, chosen: Sequence[Fold], begin: date, say: Callable[[str], None]
) -> Answer:
    told = [fold for fold in chosen if tells_apart(rows, fold, question.protocol)]
    left = [fold.test for fold in chosen if fold not in told]
    if not told:
        # The first contender says which kind is missing, and what to do.
        told, left = list(chosen), []
    if left:
        say(f"left out, for one kind of transaction only: tests from {', '.join(str(one.since) for one in left)}")
    evaluation = Evaluation(_in_turn(rows), question.protocol, told, begin, question.wishes, question.seed, say)
    found = [
        evaluation.judge(contender, in_detail=place < DETAILED)
        for place, contender in enumerate(question.contenders or contenders(question.protocol))
    ]
    document = findings(question.protocol, told, found, question.wishes)
    return Answer(document | {"left_out": [one.to_json() for one in left]}, found)


def _in_turn(rows: pl.DataFrame) -> pl.DataFrame:
    """By moment and id, and clients numbered as they come.

    What is drawn by lot, and which of equal scores is first, depends on both, and keys are others in another warehouse
    of the same files.
    """
    rows = rows.sort(ORDER)
    clients = rows["client"].unique(maintain_order=True)
    numbers = pl.Series(range(len(clients)), dtype=clients.dtype)
    return rows.with_columns(pl.col("client").replace_strict(clients, numbers))


def _of_part(transactions: Transactions, days: Days, labels: pl.DataFrame, protocol: Protocol) -> pl.DataFrame:
    given = transactions.of(days.since - timedelta(days=HISTORY_DAYS), days.until).collect()
    return examples(given, labels, with_handbook=protocol is HANDBOOK, since=date_key(days.since))


def examples(transactions: pl.DataFrame, labels: pl.DataFrame, *, with_handbook: bool, since: int = 0) -> pl.DataFrame:
    """Rows with every feature as the models take them, `is_fraud`, and `reported_at` of frauds.

    `since`: date key; what is older is history only.
    """
    rows = extract(transactions.lazy(), labels.lazy(), since, dtype=pl.Float32).collect()
    if with_handbook:
        theirs = handbook_features(transactions, labels).filter(pl.col("date_key") >= since)
        rows = rows.with_columns(theirs.select(pl.col(NAMES).cast(pl.Float32)))
    frauds = labels.filter("is_fraud").select("transaction_id", "is_fraud", "reported_at")
    return rows.join(frauds, on="transaction_id", how="left", maintain_order="left").with_columns(
        pl.col("is_fraud").fill_null(value=False)
    )


def _folds(question: Question, days: Mapping[date, int]) -> list[Fold]:
    protocol = question.protocol
    until = question.until or max(days) + timedelta(days=1 - protocol.delay)
    since = question.since or until - timedelta(days=FOLDS * protocol.test)
    begin = min(days) if protocol.train else _first(days, since - timedelta(days=protocol.delay))
    return folds(protocol, begin, since, until)


def _begin(days: Mapping[date, int], chosen: Sequence[Fold]) -> date:
    return min(chosen[0].train.since, _first(days, chosen[0].train.until))


def _first(days: Mapping[date, int], end: date) -> date:
    """The first day that is learned from, before `end`: of no more transactions than `cauri fraud train` takes."""
    return max(min(days) + timedelta(days=WARM_UP_DAYS), newest_with(days, end))
