"""From a probability to what is done: three bands, whose limits are chosen on one window and then frozen."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ml.fraud.examples import Floats
from warehouse.errors import TrainingError

# A share of fewer alerts than these says little of the share of later ones.
FEWEST_ALERTS = 10

ALLOW, REVIEW, BLOCK = BANDS = ("allow", "review", "block")


class Policy(StrEnum):
    """What the limit of `review` follows; that of `block` is always the precision floor."""

    CAPACITY = "capacity"
    COST = "cost"
    PRECISION = "precision"


# What a team can work where nobody says it: one transaction in two hundred, and no more than so many a day.
ALERT_SHARE, MOST_ALERTS_A_DAY = 0.005, 100.0


@dataclass(frozen=True)
class Wishes:
    """What a team can work and wants: alerts a day, cost of looking at one in units of the amounts, least precision."""

    policy: Policy = Policy.CAPACITY
    alerts_a_day: float | None = None
    review_cost: float = 5.0
    precision: float = 0.92


@dataclass(frozen=True)
class Thresholds:
    """Least scores of the bands; None: no score is high enough."""

    review: float | None
    block: float | None

    def band(self, score: Floats) -> npt.NDArray[np.int8]:
        """Place in `BANDS`, one a score."""
        return (score >= _or_infinite(self.review)).astype(np.int8) + (score >= _or_infinite(self.block))

    def is_alert(self, score: Floats) -> npt.NDArray[np.bool_]:
        """Whether a person is to look at it."""
        return score >= min(_or_infinite(self.review), _or_infinite(self.block))

    def to_json(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """From a manifest."""
        return cls(**document)


@dataclass(frozen=True)
class Window:
    """What limits are chosen on: scores, labels and amounts of the transactions of so many days."""

    score: Floats
    labels: npt.NDArray[np.bool_]
    amount: Floats
    days: int


@dataclass(frozen=True)
class _Cuts:
    """What an alert at each different score, from the highest on, would bring."""

    score: Floats
    alerts: npt.NDArray[np.int64]
    frauds: npt.NDArray[np.int64]
    saved: Floats


def choose(window: Window, wishes: Wishes) -> Thresholds:
    """The limits on this window.

    Raises:
        TrainingError: the window is empty, or without fraud where the policy needs some.
    """
    if not len(window.score) or window.days < 1:
        raise TrainingError(
            "the threshold window has no transactions", remedy="choose other days: --threshold-days, --as-of"
        )
    cuts = _cuts(window)
    precise = _by_precision(cuts, wishes.precision)
    match wishes.policy:
        case Policy.CAPACITY:
            review = _by_capacity(cuts, _capacity(window, wishes.alerts_a_day))
        case Policy.COST:
            review = _by_cost(cuts, wishes.review_cost)
        case Policy.PRECISION:
            review = precise
    # What nobody would look at is not blocked either.
    return Thresholds(review, None if precise is None or review is None else max(precise, review))


def _capacity(window: Window, alerts_a_day: float | None) -> float:
    """Alerts in the whole window."""
    if alerts_a_day is not None:
        return alerts_a_day * window.days
    return min(ALERT_SHARE * len(window.score), MOST_ALERTS_A_DAY * window.days)


def _cuts(window: Window) -> _Cuts:
    order = np.argsort(-window.score, kind="stable")
    score, frauds = window.score[order], window.labels[order]
    last = np.append(score[1:] != score[:-1], True)
    saved = np.cumsum(np.where(frauds, window.amount[order], 0.0))
    return _Cuts(score[last], np.flatnonzero(last) + 1, np.cumsum(frauds)[last], saved[last])


def _by_capacity(cuts: _Cuts, alerts: float) -> float | None:
    """The lowest score with no more alerts; None if even the highest score has more."""
    possible = np.flatnonzero(cuts.alerts <= alerts)
    return float(cuts.score[possible[-1]]) if len(possible) else None


def _by_cost(cuts: _Cuts, review_cost: float) -> float | None:
    """Where the amounts saved exceed the cost of looking by most; None if they nowhere do."""
    gain = cuts.saved - review_cost * cuts.alerts
    best = int(np.argmax(gain))
    return float(cuts.score[best]) if gain[best] > 0 else None


def _by_precision(cuts: _Cuts, floor: float) -> float | None:
    """The lowest score, hence the highest recall, at which so large a share of the alerts is fraud; None if none."""
    precise = np.flatnonzero((cuts.frauds >= floor * cuts.alerts) & (cuts.alerts >= FEWEST_ALERTS))
    return float(cuts.score[precise[-1]]) if len(precise) else None


def _or_infinite(limit: float | None) -> float:
    return np.inf if limit is None else limit
