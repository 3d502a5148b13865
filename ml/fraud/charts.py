"""An evaluation as one HTML file that needs nothing else: what was found, and the curves behind it."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ml.fraud.boosters import XgboostModel
from ml.fraud.evaluate import Judgement

COLOURS = ("#2a6f97", "#c8553d", "#588157", "#8d6a9f", "#b08900")
HEIGHT = "460px"
MOST_BARS = 20
CALIBRATION_BINS = 10

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b;
  background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #ddd } th:first-child, td:first-child
  { text-align: left }
.scroll { overflow-x: auto } small { color: #555 }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e8e6e3 } th, td { border-color: #3a3d42 }
  small { color: #aaa } .plot { background: #fff; border-radius: 6px } }
@media print { body { max-width: none } .plot { break-inside: avoid } }
"""

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
    detailed = [one for one in judgements if one[0].frozen]
    figures = [
        ("Precision over recall, all folds", precision_recall(judgements)),
        ("Calibration: share of frauds at each score", calibration(detailed)),
        ("Alerts a day at the frozen limit of review", alerts(judgements[0])),
        ("What the trees of the newest fold split by", importance(judgements[0][-1])),
    ]
    drawn = [
        f'<h2>{escape(title)}</h2><div class="plot">'
        f"{figure.to_html(full_html=False, include_plotlyjs=number == 0, default_height=HEIGHT)}</div>"
        for number, (title, figure) in enumerate(figures)
    ]
    protocol, folds = document["protocol"], document["folds"]
    about = (
        f"Protocol {protocol['name']}: {len(folds)} test windows of {protocol['test_days']} days, from"
        f" {folds[0]['test']['since']} to before {folds[-1]['test']['until']}; labels arrive {protocol['delay_days']}"
        f" days late; {protocol['capacity']} clients are looked at a day. Mean and deviation over the windows."
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Cauri: fraud models</title>'
        f"<style>{STYLE}</style></head><body><h1>Fraud models, judged forward in time</h1><p>{escape(about)}</p>"
        f"{table(document)}{certainty(document)}{''.join(drawn)}</body></html>"
    )


def table(document: dict[str, Any]) -> str:
    """Contenders by measures."""
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("", *COLUMNS))
    rows = []
    for one in document["contenders"]:
        cells = "".join(f"<td>{_cell(one, name)}</td>" for name in COLUMNS.values())
        rows.append(f"<tr><td>{escape(one['name'])}</td>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def certainty(document: dict[str, Any]) -> str:
    """The precision floor as it held on later windows, with its intervals."""
    first, sure = document["contenders"][0], document["certainty"]
    if "block_precision" not in first["by_fold"]:
        return "<p>No limit for that precision: no score of an earlier window reached it, or there was none.</p>"
    rows = []
    for number, fold in enumerate(document["folds"]):
        precision, recall = (first["by_fold"][f"block_{name}"][number] for name in ("precision", "recall"))
        spans = sure["by_fold"][number]
        rows.append(
            f"<tr><td>{fold['test']['since']}</td><td>{_digits(precision)} {_span(spans.get('block_precision'))}</td>"
            f"<td>{_digits(recall)} {_span(spans.get('block_recall'))}</td></tr>"
        )
    return (
        f"<h2>A precision of {sure['precision_floor']:g}, frozen before each window</h2>"
        "<table><thead><tr><th scope='col'>test window from</th><th scope='col'>precision (95 %)</th>"
        f"<th scope='col'>recall (95 %)</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "<small>Intervals: resamples of clients.</small>"
    )


def precision_recall(judgements: Sequence[Sequence[Judgement]]) -> go.Figure:
    """A curve a contender, over the rows of all folds."""
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415

    figure = go.Figure(layout=_layout("recall", "precision"))
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


def calibration(judgements: Sequence[Sequence[Judgement]]) -> go.Figure:
    """Mean score and share of frauds by bins of as many alerts, both on a logarithmic scale."""
    figure = go.Figure(layout=_layout("mean score", "share of frauds"))
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


def alerts(folds: Sequence[Judgement]) -> go.Figure:
    """Alerts of each test day, frauds among them and not."""
    figure = go.Figure(layout=_layout("day", "alerts"))
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


def importance(judgement: Judgement) -> go.Figure:
    """Gain of each feature, mean over the bags, the largest first."""
    figure = go.Figure(layout=_layout("share of the gain", ""))
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


def _layout(x: str, y: str) -> dict[str, Any]:
    axes = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    return {**axes, "template": "plotly_white", "margin": {"t": 20, "r": 20}, "legend": {"orientation": "h", "y": -0.2}}


def _cell(one: dict[str, Any], name: str) -> str:
    mean, deviation = one["mean"].get(name), one["deviation"].get(name)
    return "-" if mean is None else f"{mean:.3f} <small>± {deviation:.3f}</small>"


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _span(span: tuple[float, float] | None) -> str:
    return "" if span is None else f"<small>({span[0]:.3f} to {span[1]:.3f})</small>"
