import numpy as np
import polars as pl
import pytest

from ml.fraud.drift import LARGE_DRIFT, STABLE, DriftReport, drift, reference_of
from ml.fraud.examples import Floats, matrix_of
from tests.invented import FEATURES, examples


def seen(rows: pl.DataFrame) -> tuple[np.ndarray, Floats]:
    return matrix_of(rows, FEATURES), rows["log_amount"].to_numpy() / 10


@pytest.fixture(scope="module")
def reference() -> dict[str, object]:
    return reference_of(*seen(examples(20_000)), FEATURES)


def states(report: DriftReport) -> dict[str, str]:
    return {column.name: column.state for column in report.columns}


def test_the_same_rows_have_not_moved(reference: dict[str, object]) -> None:
    report = drift(reference, *seen(examples(20_000)), FEATURES)
    assert [column.psi for column in report.columns] == [0.0] * 4
    assert report.retrain is None


def test_chance_alone_is_no_drift_however_few_the_rows(reference: dict[str, object]) -> None:
    indices = []
    for seed in range(20, 60):
        report = drift(reference, *seen(examples(100, seed=seed)), FEATURES)
        assert report.retrain is None
        by_name = sorted(report.columns, key=lambda column: column.name)
        indices.append([(column.psi, column.floor) for column in by_name])
    # Without the floor many of these would be called drift.
    assert (np.array(indices)[:, :, 0] > 0.1).mean() > 0.2
    psi, floor = np.array(indices).mean(axis=0).T
    assert np.abs(psi / floor - 1).max() < 0.4


def test_another_population_asks_for_another_model(reference: dict[str, object]) -> None:
    dearer = examples(5000, seed=9).with_columns(pl.col("log_amount") + 1)
    report = drift(reference, *seen(dearer), FEATURES)
    assert states(report) == {"fraud_score": LARGE_DRIFT, "log_amount": LARGE_DRIFT, "hour": STABLE, "risk_7d": STABLE}
    assert "scores come from another population" in (report.retrain or "")
    assert report.columns[1].name == "log_amount"


def test_values_that_are_no_longer_known_are_drift(reference: dict[str, object]) -> None:
    rows = examples(5000, seed=9)
    unknown = rows.with_columns(risk_7d=pl.lit(None, pl.Float64))
    assert states(drift(reference, *seen(unknown), FEATURES))["risk_7d"] == LARGE_DRIFT
    assert "1 of 3 features" in (drift(reference, *seen(unknown), FEATURES).retrain or "")


def test_a_column_without_values_or_with_one_has_an_index() -> None:
    rows = examples(1000).with_columns(risk_7d=pl.lit(None, pl.Float64), hour=pl.lit(3.0))
    reference = reference_of(*seen(rows), FEATURES)
    assert {column.psi for column in drift(reference, *seen(rows), FEATURES).columns} == {0.0}
    known = drift(reference, *seen(rows.with_columns(risk_7d=pl.lit(0.5), hour=pl.lit(4.0))), FEATURES)
    assert states(known)["risk_7d"] == states(known)["hour"] == LARGE_DRIFT
