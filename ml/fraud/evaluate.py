"""Contenders judged on the folds of a protocol: what each would have found, at limits that were frozen before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ml.fraud.calibration import Calibrator, calibrate
from ml.fraud.contenders import Contender
from ml.fraud.examples import Floats
from ml.fraud.metrics import (
    Scored,
    area_under_roc,
    average_precision,
    best_precision_at,
    calibration_error,
    precision_at,
    recall_at_rates,
    value_recall,
)
from ml.fraud.models import SEED, Fitted
from ml.fraud.protocol import Fold, Protocol, earlier
from ml.fraud.thresholds import Thresholds, Window, Wishes, choose
from ml.fraud.trial import JUDGED_BY, fitted, known_by, rows_to_test, scored, tells_apart, training_rows
from warehouse.errors import TrainingError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Frozen:
    """What was fixed before the test window began, on the fold whose labels were known by then."""

    calibrator: Calibrator
    thresholds: Thresholds


@dataclass(frozen=True)
class Judgement:
    """One contender on one fold, tested with `margins`. `frozen`: None where no earlier fold fits."""

    contender: Contender
    fold: Fold
    train_rows: int
    train_frauds: int
    margins: Scored
    measures: dict[str, float]
    frozen: Frozen | None = None
    model: Fitted | None = None

    @property
    def probability(self) -> Floats | None:
        """Calibrated scores, if there is a calibrator."""
        return self.frozen.calibrator.score(self.margins.score) if self.frozen else None


@dataclass
class Evaluation:
    """Rows with features and labels, judged by a protocol; models that two folds share are fitted once.

    Rows: `ml.features.extract`'s columns, `is_fraud` and `reported_at`; those of the Handbook too if it contends.
    """

    rows: pl.DataFrame
    protocol: Protocol
    folds: Sequence[Fold]
    first: Any
    wishes: Wishes
    seed: int = SEED
    say: Say = lambda _: None
    _tried: dict[tuple[str, Any], tuple[Fitted, pl.DataFrame, Floats]] = field(default_factory=dict)

    def judge(self, contender: Contender, *, in_detail: bool) -> list[Judgement]:
        """A contender on every fold. `in_detail`: with limits and a calibration that were frozen before each."""
        found = []
        for fold in self.folds:
            self.say(f"{contender.name}: test from {fold.test.since}")
            model, tested, margin = self._try(contender, fold)
            train = training_rows(self.rows, self._window(contender, fold))
            frozen = self._frozen(contender, fold) if in_detail else None
            margins = scored(tested, margin)
            measures = measured(margins, self.protocol) | (applied(margins, frozen, fold) if frozen else {})
            frauds = int(train["is_fraud"].sum())
            found.append(Judgement(contender, fold, train.height, frauds, margins, measures, frozen, model))
        return found

    def _window(self, contender: Contender, fold: Fold) -> Fold:
        return fold.extended(self.first) if contender.extended else fold

    def _try(self, contender: Contender, fold: Fold) -> tuple[Fitted, pl.DataFrame, Floats]:
        key = (contender.name, fold.test.since)
        if key not in self._tried:
            model = fitted(self.rows, self._window(contender, fold), contender, self.seed)
            # Who is removed does not depend on how far back a contender learns.
            tested = rows_to_test(self.rows, fold, self.protocol)
            if not tested.height:
                raise TrainingError(
                    f"the test window {fold.test.since} to before {fold.test.until} has no transactions",
                    remedy="choose days that the warehouse has: --from, --to; cauri status shows them",
                )
            # Without the features: those of each contender and window would be gigabytes.
            self._tried[key] = model, tested.select(JUDGED_BY), model.margin(tested)
        return self._tried[key]

    def _frozen(self, contender: Contender, fold: Fold) -> Frozen | None:
        before = earlier(self.protocol, fold, self.first)
        if before is None or not tells_apart(self.rows, before, self.protocol):
            return None
        _, tested, margin = self._try(contender, before)
        labels = known_by(tested, fold.test.since)
        if not 0 < labels.sum() < len(labels):
            return None
        calibrator = calibrate(margin, labels)
        window = Window(calibrator.score(margin), labels, tested["amount"].to_numpy(), before.test.number)
        return Frozen(calibrator, choose(window, self.wishes))


def measured(margins: Scored, protocol: Protocol) -> dict[str, float]:
    """What depends on the order of the scores only.

    Raises:
        TrainingError: the test window has no fraud, or nothing else.
    """
    frauds = int(margins.labels.sum())
    if frauds in {0, len(margins.labels)}:
        raise TrainingError(
            f"the test window has {frauds:,} frauds among {len(margins.labels):,} transactions: both kinds are needed",
            remedy="choose days whose labels are known: --from, --to",
        )
    alerts = protocol.capacity * len(np.unique(margins.day))
    return {
        "rows": len(margins.labels),
        "frauds": frauds,
        "prevalence": frauds / len(margins.labels),
        "average_precision": average_precision(margins),
        "auc": area_under_roc(margins),
        "precision_at": precision_at(margins, protocol.capacity),
        "best_precision_at": best_precision_at(margins, protocol.capacity),
        "value_recall": value_recall(margins, alerts),
        **{f"recall_at_fpr_{rate:g}": recall for rate, recall in recall_at_rates(margins).items()},
    }


def applied(margins: Scored, frozen: Frozen, fold: Fold) -> dict[str, float]:
    """What the frozen limits and the frozen calibration come to on the test window."""
    probability = frozen.calibrator.score(margins.score)
    within = np.clip(probability, 1e-12, 1 - 1e-12)
    surprise = np.where(margins.labels, np.log(within), np.log1p(-within))
    return {
        **at_limit(margins, probability, frozen.thresholds.review, fold.test.number, "review"),
        **at_limit(margins, probability, frozen.thresholds.block, fold.test.number, "block"),
        "brier": float(np.mean((probability - margins.labels) ** 2)),
        "log_loss": float(-surprise.mean()),
        "calibration_error": calibration_error(probability, margins.labels),
    }


def at_limit(scored: Scored, probability: Floats, limit: float | None, days: int, name: str) -> dict[str, float]:
    """Precision, recall, F1 and alerts a day of the scores from a limit on; none without a limit."""
    if limit is None:
        return {}
    alert = probability >= limit
    hits, alerts, frauds = (scored.labels & alert).sum(), alert.sum(), scored.labels.sum()
    return {
        f"{name}_precision": float(hits / alerts) if alerts else float("nan"),
        f"{name}_recall": float(hits / frauds) if frauds else float("nan"),
        f"{name}_f1": float(2 * hits / (alerts + frauds)) if alerts + frauds else float("nan"),
        f"{name}_alerts_a_day": float(alerts / days),
    }
