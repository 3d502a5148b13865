from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ml.fraud.boosters import BoosterParameters, XgboostModel
from ml.fraud.examples import matrix_of
from ml.fraud.imbalance import Imbalance, balanced
from ml.fraud.models import Kind, fit
from tests.invented import AMOUNT, FEATURES, RISK, examples
from warehouse.errors import ModelError, TrainingError

SMALL = BoosterParameters(trees=20, depth=3, bags=1)


@pytest.fixture(scope="module")
def train() -> pl.DataFrame:
    return examples()


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return examples(seed=8)


def separation(margin: np.ndarray, labels: np.ndarray) -> float:
    """Share of pairs of a fraud and an honest row that stand in the right order; equal ones count half."""
    frauds, honest = margin[labels], margin[~labels]
    return float(((frauds[:, None] > honest).mean() + (frauds[:, None] >= honest).mean()) / 2)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_ranks_frauds_of_later_rows_above_honest_ones(
    kind: Kind, train: pl.DataFrame, later: pl.DataFrame
) -> None:
    margin = fit(kind, train, FEATURES, parameters=SMALL).margin(later)
    assert margin.dtype == np.float64
    assert separation(margin, later["is_fraud"].to_numpy()) > 0.7


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("imbalance", Imbalance)
def test_the_order_of_the_rows_changes_no_bit(
    kind: Kind, imbalance: Imbalance, train: pl.DataFrame, later: pl.DataFrame
) -> None:
    parameters = replace(SMALL, trees=5, bags=2)
    first = fit(kind, train, FEATURES, imbalance=imbalance, parameters=parameters).margin(later)
    shuffled = train.sample(fraction=1, shuffle=True, seed=1)
    assert (first == fit(kind, shuffled, FEATURES, imbalance=imbalance, parameters=parameters).margin(later)).all()


@pytest.mark.parametrize("kind", [Kind.XGBOOST, Kind.LIGHTGBM])
def test_another_seed_is_another_model(kind: Kind, train: pl.DataFrame, later: pl.DataFrame) -> None:
    first, second = (fit(kind, train, FEATURES, seed=seed, parameters=SMALL).margin(later) for seed in (0, 1))
    assert (first != second).any()


@pytest.mark.parametrize("kind", [Kind.XGBOOST, Kind.LIGHTGBM])
def test_bags_average_the_margins_of_successive_seeds(kind: Kind, train: pl.DataFrame, later: pl.DataFrame) -> None:
    alone = [fit(kind, train, FEATURES, seed=seed, parameters=SMALL).margin(later) for seed in (4, 5)]
    together = fit(kind, train, FEATURES, seed=4, parameters=replace(SMALL, bags=2)).margin(later)
    assert np.abs(together - np.mean(alone, axis=0)).max() < 1e-12


def risks(rows: int = 101) -> pl.DataFrame:
    """Rows that differ in their risk only."""
    return pl.DataFrame({"log_amount": [4.0] * rows, "risk_7d": np.linspace(0, 1, rows), "hour": [12.0] * rows})


@pytest.mark.parametrize("kind", [Kind.XGBOOST, Kind.LIGHTGBM])
def test_more_risk_never_lowers_the_margin_although_the_labels_say_so(kind: Kind, train: pl.DataFrame) -> None:
    # Labels turned against the risk: without the constraint the margin would fall.
    reversed_ = train.with_columns(is_fraud=pl.col("risk_7d").fill_null(0.0) < 0.01)
    bound = fit(kind, reversed_, FEATURES, parameters=SMALL).margin(risks())
    free = fit(kind, reversed_, FEATURES, parameters=replace(SMALL, monotone=False)).margin(risks())
    assert (np.diff(bound) >= 0).all()
    assert (np.diff(free) < 0).any()


def test_unknown_values_are_left_unknown(train: pl.DataFrame) -> None:
    rows = pl.DataFrame({"log_amount": [4.0, 4.0], "risk_7d": [None, 0.0], "hour": [1.0, 1.0]})
    matrix = matrix_of(rows, FEATURES)
    assert matrix.dtype == np.float32
    assert np.isnan(matrix).tolist() == [[False, True, False], [False] * 3]
    # Which risk is known is no evidence, which are unknown is: the model may tell the two rows apart.
    told = train.with_columns(is_fraud=pl.col("risk_7d").is_null())
    margin = fit("xgboost", told, FEATURES, parameters=SMALL).margin(rows)
    assert margin[0] > margin[1] + 1


def test_no_rows_have_no_margins(train: pl.DataFrame) -> None:
    model = fit("xgboost", train, FEATURES, parameters=SMALL)
    assert model.margin(train.clear()).shape == (0,)


@pytest.mark.parametrize("rows", [0, 1, 6, 7, 8, 22])
def test_a_matrix_is_the_same_in_many_slices(rows: int, train: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    some = train.head(rows)
    whole = some.select(feature.name for feature in FEATURES).to_numpy().astype(np.float32)
    monkeypatch.setattr("ml.fraud.examples.ROWS_OF_SLICE", 7)
    matrix = matrix_of(some, FEATURES)
    assert matrix.flags.c_contiguous
    assert np.array_equal(matrix, whole, equal_nan=True)


def test_class_weight_raises_the_margin(train: pl.DataFrame, later: pl.DataFrame) -> None:
    plain, weighted = (
        fit("xgboost", train, FEATURES, imbalance=imbalance, parameters=SMALL).margin(later).mean()
        for imbalance in (Imbalance.NONE, Imbalance.WEIGHT)
    )
    assert weighted > plain + 1


def test_smote_keeps_what_was_there_and_adds_frauds_between_frauds(train: pl.DataFrame) -> None:
    matrix, labels = matrix_of(train, FEATURES), train["is_fraud"].to_numpy()
    sample = balanced(matrix, labels, Imbalance.SMOTE, seed=0)
    assert sample.labels.sum() == (~sample.labels).sum() == (~labels).sum()
    known = ~np.isnan(matrix)
    assert (sample.matrix[: len(matrix)][known] == matrix[known]).all()
    frauds, made = sample.filled(matrix)[labels], sample.matrix[len(matrix) :]
    assert (made >= frauds.min(axis=0) - 1e-4).all()
    assert (made <= frauds.max(axis=0) + 1e-4).all()


def test_what_smote_filled_is_filled_for_later_rows_too(train: pl.DataFrame) -> None:
    model = fit("xgboost", train, FEATURES, imbalance="smote", parameters=SMALL)
    assert isinstance(model, XgboostModel)
    assert model.fill is not None
    unknown = pl.DataFrame({"log_amount": [4.0], "risk_7d": pl.Series([None], dtype=pl.Float64), "hour": [1.0]})
    filled = unknown.with_columns(risk_7d=pl.lit(float(model.fill[1])))
    assert model.margin(unknown) == model.margin(filled)


def test_a_column_that_is_never_known_is_no_obstacle(train: pl.DataFrame, later: pl.DataFrame) -> None:
    empty = train.with_columns(risk_7d=pl.lit(None, dtype=pl.Float64))
    for kind in (Kind.XGBOOST, Kind.LIGHTGBM, Kind.LOGISTIC, Kind.RULE):
        for imbalance in Imbalance:
            assert np.isfinite(fit(kind, empty, FEATURES, imbalance=imbalance, parameters=SMALL).margin(later)).all()


@pytest.mark.parametrize("kind", Kind)
def test_equal_amounts_are_no_obstacle(kind: Kind, train: pl.DataFrame) -> None:
    equal = train.with_columns(amount=pl.lit(5.0), log_amount=pl.lit(1.6))
    assert np.isfinite(fit(kind, equal, FEATURES, parameters=SMALL).margin(equal)).all()


def test_the_rule_finds_the_amount_above_which_only_frauds_are() -> None:
    rows = pl.DataFrame(
        {
            "transaction_id": list("abcdef"),
            "transaction_ts": [examples(1)["transaction_ts"][0]] * 6,
            "amount": [10.0, 20.0, 220.0, 220.0, 221.0, 300.0],
            "risk_7d": [0.3, None, 0.0, 0.0, 0.9, 0.0],
            "is_fraud": [True, False, False, False, True, True],
        }
    )
    rule = fit("rule", rows, (RISK,))
    assert rule.margin(rows).tolist() == [0.3, 0.0, 0.0, 0.0, 1.0, 1.0]


def spoiled(change: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    return change(examples(50))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop("is_fraud"), "none of the 50 transactions of the training window has a label"),
        (lambda rows: rows.with_columns(is_fraud=pl.lit(None, pl.Boolean)), "none of the 50 transactions"),
        (lambda rows: rows.with_columns(is_fraud=pl.lit(False)), "all 50 examples are honest"),
        (lambda rows: rows.with_columns(is_fraud=pl.lit(True)), "all 50 examples are fraud"),
        (lambda rows: rows.head(0), "none of the 0 transactions"),
    ],
)
def test_labels_that_teach_nothing_are_refused(change: Callable[[pl.DataFrame], pl.DataFrame], said: str) -> None:
    with pytest.raises(TrainingError, match=said) as caught:
        fit("xgboost", spoiled(change), FEATURES)
    assert caught.value.remedy


def test_smote_needs_two_frauds() -> None:
    one = examples(50).with_row_index().with_columns(is_fraud=pl.col("index") == 3)
    with pytest.raises(TrainingError, match="there is 1 only"):
        fit("xgboost", one, FEATURES, imbalance="smote")


@pytest.mark.parametrize("kind", Kind)
def test_a_missing_column_is_named(kind: Kind, train: pl.DataFrame) -> None:
    model = fit(kind, train, (AMOUNT, RISK), parameters=SMALL)
    with pytest.raises(ModelError, match="risk_7d"):
        model.margin(train.drop("risk_7d"))
