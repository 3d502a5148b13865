import json

import numpy as np
import pytest

from ml.fraud.calibration import FRAUDS_FOR_ISOTONIC, Calibrator, calibrate, sigmoid
from ml.fraud.examples import Floats
from warehouse.errors import TrainingError


def rows(number: int = 40_000, seed: int = 3) -> tuple[Floats, np.ndarray]:
    """Margins that are 2 too high and half as steep as the log-odds of fraud."""
    dice = np.random.default_rng(seed)
    log_odds = dice.normal(-4, 2, number)
    return log_odds / 2 + 2, dice.random(number) < sigmoid(log_odds)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_score_is_the_share_of_frauds_among_rows_like_it(method: str) -> None:
    calibrator = calibrate(*rows(), method)
    margin, labels = rows(seed=4)
    score = calibrator.score(margin)
    assert calibrator.method == method
    for low, high in ((0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 1)):
        alike = (score >= low) & (score < high)
        assert abs(score[alike].mean() - labels[alike].mean()) < 0.04


def test_platt_finds_the_curve_that_made_the_labels() -> None:
    calibrator = calibrate(*rows(), "platt")
    assert abs(calibrator.slope - 2) < 0.1
    assert abs(calibrator.intercept + 4) < 0.2


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_higher_margin_has_a_higher_score_also_beyond_what_was_seen(method: str) -> None:
    score = calibrate(*rows(), method).score(np.linspace(-12, 12, 2000))
    assert (np.diff(score) > 0).all()
    assert (score >= 0).all()
    assert (score <= 1).all()


def test_extreme_margins_stay_between_0_and_1() -> None:
    for method in ("platt", "isotonic"):
        score = calibrate(*rows(), method).score(np.array([-1e9, 1e9]))
        assert (score >= 0).all()
        assert (score <= 1).all()


def test_few_frauds_get_two_parameters() -> None:
    margin, labels = rows(2000)
    assert labels.sum() < FRAUDS_FOR_ISOTONIC
    assert calibrate(margin, labels).method == "platt"
    assert calibrate(*rows()).method == "isotonic"


def test_separable_and_equal_margins_are_finite() -> None:
    separable = calibrate(np.array([-1.0] * 50 + [1.0] * 5), np.array([False] * 50 + [True] * 5))
    assert separable.score(np.array([0.9, 1.0, 1.1])).max() < 1
    with pytest.raises(TrainingError, match="do not have higher margins"):
        calibrate(np.zeros(55), np.array([False] * 50 + [True] * 5))


def test_it_survives_its_manifest() -> None:
    for method in ("platt", "isotonic"):
        calibrator = calibrate(*rows(), method)
        assert Calibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator


def test_what_cannot_be_calibrated_is_refused() -> None:
    margin, labels = rows(2000)
    with pytest.raises(TrainingError, match="0 frauds among 2,000"):
        calibrate(margin, np.zeros(2000, dtype=bool))
    with pytest.raises(TrainingError, match="0 frauds among 0"):
        calibrate(np.empty(0), np.empty(0, dtype=bool))
    with pytest.raises(TrainingError, match="do not have higher margins"):
        calibrate(-margin, labels)
