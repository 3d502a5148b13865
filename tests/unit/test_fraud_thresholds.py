import json

import numpy as np
import pytest

from ml.fraud.thresholds import BANDS, Policy, Thresholds, Window, Wishes, choose
from warehouse.errors import TrainingError


def window(days: int = 10) -> Window:
    """1,000 transactions of 10 days: the first 20 are frauds but for the 12th, then every tenth up to 200."""
    place = np.arange(1000)
    labels = ((place < 20) & (place != 11)) | ((place < 200) & (place % 10 == 0))
    return Window((1000 - place) / 1000, labels, np.full(1000, 40.0), days)


def test_capacity_gives_the_team_as_many_alerts_as_it_can_work() -> None:
    limits = choose(window(), Wishes(alerts_a_day=5))
    assert limits.is_alert(window().score).sum() == 50
    assert (limits.band(window().score) == 2).sum() == 21


def test_a_team_of_unknown_size_gets_one_in_two_hundred_and_at_most_a_hundred_a_day() -> None:
    assert choose(window(), Wishes()).is_alert(window().score).sum() == 5
    busy = Window(np.linspace(1, 0, 50_000), np.arange(50_000) % 2 == 0, np.ones(50_000), 1)
    assert choose(busy, Wishes()).is_alert(busy.score).sum() == 100


def test_equal_scores_stand_together_and_never_exceed_the_capacity() -> None:
    tied = Window(np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([True, False, True, False, False]), np.ones(5), 1)
    assert choose(tied, Wishes(alerts_a_day=3)).is_alert(tied.score).sum() == 1
    assert choose(tied, Wishes(alerts_a_day=4)).is_alert(tied.score).sum() == 4
    all_equal = Window(np.full(5, 0.3), tied.labels, tied.amount, 1)
    assert choose(all_equal, Wishes(alerts_a_day=4)) == Thresholds(None, None)


def test_the_precision_floor_takes_the_highest_recall_there_is() -> None:
    limits = choose(window(), Wishes(Policy.PRECISION, precision=0.92))
    alerts = limits.is_alert(window().score)
    # 20 of 21 are frauds, 20 of 22 are fewer than 0.92.
    assert (alerts.sum(), window().labels[alerts].sum()) == (21, 20)
    assert limits.review == limits.block


def test_a_floor_that_is_never_reached_blocks_nothing() -> None:
    honest_above = Window(np.linspace(1, 0, 100), np.arange(100) % 2 == 1, np.ones(100), 1)
    assert choose(honest_above, Wishes(Policy.PRECISION)) == Thresholds(None, None)
    assert (choose(honest_above, Wishes(Policy.PRECISION)).band(honest_above.score) == 0).all()
    by_capacity = choose(honest_above, Wishes(alerts_a_day=10))
    assert set(by_capacity.band(honest_above.score).tolist()) == {0, 1}


def test_few_alerts_prove_no_precision() -> None:
    lucky = Window(np.linspace(1, 0, 100), np.arange(100) < 5, np.ones(100), 1)
    assert choose(lucky, Wishes(alerts_a_day=50)).block is None


def test_cost_looks_where_the_amounts_saved_pay_for_it() -> None:
    cheap, dear = (choose(window(), Wishes(Policy.COST, review_cost=cost)) for cost in (1.0, 10.0))
    # One fraud of 40 in ten alerts pays for reviews of 1, not of 10.
    assert (cheap.is_alert(window().score).sum(), dear.is_alert(window().score).sum()) == (191, 21)
    assert choose(window(), Wishes(Policy.COST, review_cost=1000)) == Thresholds(None, None)


def test_nothing_is_blocked_that_nobody_would_review() -> None:
    limits = choose(window(), Wishes(alerts_a_day=1))
    assert limits.review == limits.block
    assert set(limits.band(window().score).tolist()) == {0, 2}


def test_bands_are_closed_below() -> None:
    found = Thresholds(0.5, 0.9).band(np.array([0.49, 0.5, 0.89, 0.9]))
    assert [BANDS[place] for place in found] == ["allow", "review", "review", "block"]


def test_it_survives_its_manifest() -> None:
    for limits in (Thresholds(0.1 + 0.2, None), Thresholds(None, None), Thresholds(0.5, 0.7)):
        assert Thresholds.from_json(json.loads(json.dumps(limits.to_json()))) == limits


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(TrainingError, match="no transactions"):
        choose(Window(np.empty(0), np.empty(0, dtype=bool), np.empty(0), 0), Wishes())
