"""What an evaluation found, as one document: means and deviations over the folds, and how sure they are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ml.fraud.evaluate import Judgement, at_limit
from ml.fraud.metrics import average_precision, interval, precision_at
from ml.fraud.protocol import Fold, Protocol
from ml.fraud.thresholds import Wishes


def findings(
    protocol: Protocol, folds: Sequence[Fold], judgements: Sequence[Sequence[Judgement]], wishes: Wishes
) -> dict[str, Any]:
    """The object that `--json` prints; judgements are by contender, then by fold."""
    return {
        "protocol": {
            "name": protocol.name,
            "train_days": protocol.train,
            "delay_days": protocol.delay,
            "test_days": protocol.test,
            "capacity": protocol.capacity,
            "removes_known": protocol.removes_known,
        },
        "folds": [{name: getattr(fold, name).to_json() for name in ("train", "test")} for fold in folds],
        "contenders": [_contender(one) for one in judgements],
        "certainty": _certainty(judgements[0], protocol, wishes),
    }


def _contender(judgements: Sequence[Judgement]) -> dict[str, Any]:
    names = dict.fromkeys(name for one in judgements for name in one.measures)
    series = {name: [one.measures.get(name, float("nan")) for one in judgements] for name in names}
    return {
        "name": judgements[0].contender.name,
        "train_rows": [one.train_rows for one in judgements],
        "train_frauds": [one.train_frauds for one in judgements],
        "mean": {name: _rounded(np.mean(values)) for name, values in series.items()},
        "deviation": {name: _rounded(np.std(values)) for name, values in series.items()},
        "by_fold": {name: [_rounded(value) for value in values] for name, values in series.items()},
    }


def _certainty(judgements: Sequence[Judgement], protocol: Protocol, wishes: Wishes) -> dict[str, Any]:
    """95 % of resamples of each fold's clients: of ranking, and of the precision floor's limit as it was frozen."""
    found: dict[str, Any] = {"resampled": "clients", "share": 0.95, "precision_floor": wishes.precision, "by_fold": []}
    for one in judgements:
        fold: dict[str, Any] = {
            "average_precision": interval(one.margins, average_precision),
            "precision_at": interval(one.margins, lambda sample: precision_at(sample, protocol.capacity)),
        }
        if one.frozen and one.probability is not None and one.frozen.thresholds.block is not None:
            limit, days = one.frozen.thresholds.block, one.fold.test.number
            calibrated = replace(one.margins, score=one.probability)
            for name in ("precision", "recall"):
                fold[f"block_{name}"] = interval(calibrated, _at(limit, days, f"block_{name}"))
        found["by_fold"].append(fold)
    return found


def _at(limit: float, days: int, name: str) -> Any:
    return lambda sample: at_limit(sample, sample.score, limit, days, "block")[name]


def _rounded(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
