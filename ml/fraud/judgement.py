"""How good scores are on the window where the limits were chosen: enough to promote by, not to boast with."""

from typing import Any

import numpy as np

from ml.fraud.metrics import Scored, area_under_roc, average_precision
from ml.fraud.thresholds import Thresholds, Window


def judge(window: Window, thresholds: Thresholds) -> dict[str, Any]:
    """Ranking, calibration, and what the bands would have caught. What cannot be computed is None."""
    labels, frauds = window.labels, int(window.labels.sum())
    both = 0 < frauds < len(labels)
    nobody = np.zeros(len(labels), np.int64)
    scored = Scored(window.score, labels, nobody, nobody, window.amount)
    band = thresholds.band(window.score)
    return {
        "average_precision": average_precision(scored) if both else None,
        "auc": area_under_roc(scored) if both else None,
        "prevalence": frauds / len(labels),
        "mean_score": float(window.score.mean()),
        "brier": float(np.mean((window.score - labels) ** 2)),
        "alerts": _caught(window, band > 0),
        "blocked": _caught(window, band == 2),
    }


def _caught(window: Window, alert: np.ndarray) -> dict[str, Any]:
    frauds, alerts, caught = window.labels.sum(), alert.sum(), (window.labels & alert).sum()
    amount = window.amount[window.labels].sum()
    return {
        "a_day": float(alerts / window.days),
        "precision": float(caught / alerts) if alerts else None,
        "recall": float(caught / frauds) if frauds else None,
        "f1": float(2 * caught / (frauds + alerts)) if frauds + alerts else None,
        "value_recall": float(window.amount[window.labels & alert].sum() / amount) if amount else None,
    }
