"""An evaluation as one HTML file: what was found, and the curves behind it."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ml.fraud.boosters import XgboostModel
from ml.fraud.evaluate import Judgement
from ml.html import html_page, html_table, layout

COLOURS = ("#2a6f97", "#c8553d", "#588157", "#8d6a9f", "#b08900")
MOST_BARS = 20
CALIBRATION_BINS = 10

COLUMNS = {
    "average precision": "average_precision",
    "AUC": "auc",
    "precision at capacity": "precision_at",
    "its maximum": "best_precision_at",
    "recall at 0.1 % FPR": "recall_at_fpr_0.001",
    "recall at 1 % FPR": "recall_at_fpr_0.01",
    "recall by amount": "value_recall",
}


def page(document: dict[str, Any], judgements: Sequence[Sequence[Judgement]]) -> str:
    """The whole file; judgements are by contender, then by fold."""
    figures = [
        _precision_recall(judgements),
        _calibration([one for one in judgements if one[0].frozen]),
        _alerts(judgements[0]),
        _importance(judgements[0][-1]),
    ]
    body = f"<p>{escape(_about(document))}</p>{_table(document)}{_certainty(document)}"
    return html_page("Fraud models, judged forward in time", body, figures)


def _about(document: dict[str, Any]) -> str:
    protocol, folds, left = document["protocol"], document["folds"], len(document["left_out"])
    without = f", {left} left out for want of one kind," if left else ","
    return (
        f"Protocol {protocol['name']}: {len(folds)} test windows of {protocol['test_days']} days{without} from"
        f" {folds[0]['test']['since']} to before {folds[-1]['test']['until']}; labels arrive {protocol['delay_days']}"
        f" days late; {protocol['capacity']} clients are looked at a day. Mean and deviation over the windows."
    )


def _table(document: dict[str, Any]) -> str:
    rows = [[escape(one["name"]), *(_cell(one, name) for name in COLUMNS.values())] for one in document["contenders"]]
    return html_table(("model", *COLUMNS), rows, numbers=len(COLUMNS))


def _certainty(document: dict[str, Any]) -> str:
    """The precision floor as it held on later windows, with its intervals."""
    first, sure = document["contenders"][0], document["certainty"]
    if "block_precision" not in first["by_fold"]:
        return "<p>No limit for that precision: no score of an earlier window reached it, or there was none.</p>"
    rows = []
    for number, fold in enumerate(document["folds"]):
        values = {name: first["by_fold"][f"block_{name}"][number] for name in ("precision", "recall")}
        spans = sure["by_fold"][number]
        cells = (f"{_digits(value)} {_span(spans.get(f'block_{name}'))}" for name, value in values.items())
        rows.append([fold["test"]["since"], *cells])
    return (
        f"<h2>A precision of {sure['precision_floor']:g}, frozen before each window</h2>"
        f"{html_table(('test window from', 'precision (95 %)', 'recall (95 %)'), rows, numbers=2)}"
        "<small>Intervals: resamples of clients.</small>"
    )


def _precision_recall(judgements: Sequence[Sequence[Judgement]]) -> go.Figure:
    """A curve a contender, over the rows of all folds."""
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415

    figure = go.Figure(layout=_titled("Precision over recall, all windows", "recall", "precision"))
    for place, folds in enumerate(judgements):
        # Margins of two fits have no common scale; ranks within a fold do.
        score = np.concatenate([_ranks(one.margins.score) for one in folds])
        labels = np.concatenate([one.margins.labels for one in folds])
        precision, recall, _ = precision_recall_curve(labels, score)
        shown = np.linspace(0, len(recall) - 1, min(len(recall), 400)).astype(int)
        figure.add_scatter(
            x=recall[shown], y=precision[shown], name=folds[0].contender.name, mode="lines",
            line_color=COLOURS[place % len(COLOURS)], line_dash="solid" if place < len(COLOURS) else "dot",
        )  # fmt: skip
    return figure


def _calibration(judgements: Sequence[Sequence[Judgement]]) -> go.Figure:
    """Mean score and share of frauds by bins of as many alerts, both on a logarithmic scale."""
    figure = go.Figure(layout=_titled("Calibration: share of frauds at each score", "mean score", "share of frauds"))
    figure.add_scatter(x=[1e-4, 1], y=[1e-4, 1], mode="lines", name="ideal", line={"dash": "dot", "color": "#999"})
    for place, folds in enumerate(judgements):
        score = np.concatenate([one.probability for one in folds if one.probability is not None])
        labels = np.concatenate([one.margins.labels for one in folds if one.probability is not None])
        order = np.argsort(score, kind="stable")[-len(score) // CALIBRATION_BINS :]
        bins = np.array_split(order, CALIBRATION_BINS)
        figure.add_scatter(
            x=[score[rows].mean() for rows in bins], y=[labels[rows].mean() for rows in bins],
            mode="lines+markers", name=folds[0].contender.name, line_color=COLOURS[place % len(COLOURS)],
        )  # fmt: skip
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    return figure


def _alerts(folds: Sequence[Judgement]) -> go.Figure:
    """Alerts of each test day, frauds among them and not."""
    figure = go.Figure(layout=_titled("Alerts a day at the frozen limit of review", "day", "alerts"))
    days: list[str] = []
    counts: tuple[list[int], list[int]] = ([], [])
    for one in folds:
        if one.probability is None or one.frozen is None or one.frozen.thresholds.review is None:
            continue
        alert = one.probability >= one.frozen.thresholds.review
        for day in np.unique(one.margins.day):
            of_day = alert & (one.margins.day == day)
            days.append(f"{day // 10000}-{day // 100 % 100:02}-{day % 100:02}")
            counts[0].append(int((of_day & one.margins.labels).sum()))
            counts[1].append(int((of_day & ~one.margins.labels).sum()))
    for name, values, colour in zip(("fraud", "honest"), counts, (COLOURS[1], COLOURS[0]), strict=True):
        figure.add_bar(x=days, y=values, name=name, marker_color=colour)
    figure.update_layout(barmode="stack")
    return figure


def _importance(judgement: Judgement) -> go.Figure:
    """Gain of each feature, mean over the bags, the largest first."""
    figure = go.Figure(layout=_titled("What the trees of the newest window split by", "share of the gain", ""))
    model = judgement.model
    if isinstance(model, XgboostModel):
        gains = np.zeros(len(model.features))
        for bag in model.bags:
            for name, gain in bag.get_score(importance_type="total_gain").items():
                gains[int(name[1:])] += gain
        top = np.argsort(gains)[-MOST_BARS:]
        names = [model.features[place].name for place in top]
        figure.add_bar(x=gains[top] / gains.sum(), y=names, orientation="h", marker_color=COLOURS[0])
        figure.update_layout(margin_l=230)
    return figure


def _ranks(score: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) / len(score))[inverse]
    return ranks


def _titled(title: str, x: str, y: str) -> dict[str, Any]:
    return layout(title, xaxis={"title": {"text": x}}, yaxis={"title": {"text": y}})


def _cell(one: dict[str, Any], name: str) -> str:
    mean, deviation = one["mean"].get(name), one["deviation"].get(name)
    return "-" if mean is None else f"{mean:.3f} <small>± {deviation:.3f}</small>"


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _span(span: tuple[float, float] | None) -> str:
    return "" if span is None else f"<small>({span[0]:.3f} to {span[1]:.3f})</small>"
