"""The report as one HTML file. It holds counts and quantiles, no value of a single client."""

from html import escape
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from ml.html import html_page, html_table, layout
from ml.rfm.prototypes import names, segments
from ml.rfm.quintiles import FIFTHS
from ml.rfm.report import Report

COLOURS = {1: "#1b7837", 2: "#7fbf7b", 3: "#e08214", 4: "#9e9ac8", 5: "#737373"}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def page(found: Report) -> str:
    """The whole file."""
    told = found.to_json()
    figures = [_shares(found), _spread(found), _scores(found), *_moves(found), *_ahead(found), _silhouettes(found)]
    body = f"<p>{_about(told)}</p>{_table(told)}{_actions()}"
    return html_page(f"Segments of {told['as_of']}", body, figures, note=_notes(told))


def _about(told: dict[str, Any]) -> str:
    return escape(
        f"{told['clients']:,} clients by their transactions from {told['since']} to before {told['as_of']}; amounts in"
        f" {told['currency']}; model {told['model']}."
    )


def _swatch(number: int) -> str:
    return f'<span class="s" style="background:{COLOURS[number]}"></span>'


def _table(told: dict[str, Any]) -> str:
    headings = (
        "clients",
        "share",
        "recency, days (median)",
        "transactions (median)",
        "value (median)",
        "commission, 12 months",
        "share",
        "churn risk",
        "commission expected of a client, 12 months",
    )
    rows = [
        [
            f"{_swatch(one['segment'])}{escape(one['name'])}",
            f"{one['clients']:,}",
            _percent(one["share"]),
            f"{one['recency']:,.0f}",
            f"{one['frequency']:,.0f}",
            f"{one['monetary']:,.0f}",
            f"{one['revenue']:,.0f}",
            _percent(one["revenue_share"]),
            _percent(one["churn_risk"]),
            "-" if one["lifetime_value"] is None else f"{one['lifetime_value']:,.0f}",
        ]
        for one in told["segments"]
    ]
    return html_table(("segment", *headings), rows, numbers=len(headings))


def _actions() -> str:
    rows = [
        [
            f"{_swatch(one.number)}{escape(one.name)}<br><i>{escape(one.name_fr)}</i>",
            f"{escape(one.meaning)}<br><i lang='fr'>{escape(one.meaning_fr)}</i>",
            f"{escape(one.action)}<br><i lang='fr'>{escape(one.action_fr)}</i>",
        ]
        for one in segments()
    ]
    return f"<h2>What to do</h2>{html_table(('segment', 'who', 'action'), rows)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _shares(found: Report) -> go.Figure:
    summary = found.summary
    figure = go.Figure(layout=layout("Share of clients and of revenue", yaxis_tickformat=".0%", barmode="group"))
    labels = [names()[number] for number in summary["segment"]]
    for name, column, colour in (("clients", "share", "#b0b0b0"), ("revenue", "revenue_share", "#2166ac")):
        figure.add_bar(name=name, x=labels, y=summary[column].to_list(), marker_color=colour, texttemplate="%{y:.0%}")
    return figure


def _spread(found: Report) -> go.Figure:
    axes = {"recency": "days since the last", "frequency": "transactions", "monetary_minor": f"value, {found.currency}"}
    figure = make_subplots(1, len(axes), subplot_titles=list(axes.values()))
    units = {"monetary_minor": 10**found.exponent}
    for place, column in enumerate(axes, start=1):
        for number in found.summary["segment"]:
            values = found.clients.filter(pl.col("segment") == number)[column] / units.get(column, 1)
            least, low, median, high, most = (_quantile(values, one) for one in QUANTILES)
            figure.add_box(
                x=[names()[number]],
                lowerfence=[least],
                q1=[low],
                median=[median],
                q3=[high],
                upperfence=[most],
                marker_color=COLOURS[number],
                showlegend=False,
                row=1,
                col=place,
            )
        figure.update_yaxes(type="log", row=1, col=place)
    figure.update_layout(layout("Recency, frequency and value: median, quarters, 5 and 95 % (logarithmic)"))
    return figure


def _quantile(values: pl.Series, share: float) -> float:
    # A logarithmic axis has no zero.
    return max(float(values.quantile(share, "nearest") or 0.0), 1.0)


def _scores(found: Report) -> go.Figure:
    counts = {(r, f): n for r, f, n in found.clients.group_by("r_score", "f_score").len().iter_rows()}
    scores = list(range(1, FIFTHS + 1))
    figure = go.Figure(
        layout=layout("Clients by quintile of recency and frequency", xaxis_title="frequency", yaxis_title="recency")
    )
    figure.add_heatmap(
        x=scores, y=scores, z=[[counts.get((r, f), 0) for f in scores] for r in scores], colorscale="Blues",
        texttemplate="%{z:,}",
    )  # fmt: skip
    return figure


def _moves(found: Report) -> list[go.Figure]:
    if found.moves is None:
        return []
    figures = [_flow(f"Moves of clients, {found.since} to {found.as_of}", found.moves.moved)]
    if found.moves.is_refit:
        figures.append(_flow("Moves by the refit: old model to new model, on the same values", found.moves.refitted))
    return figures


def _flow(title: str, counts: pl.DataFrame) -> go.Figure:
    told = {(before, after): clients for before, after, clients in counts.iter_rows()}
    numbers: list[int | None] = [*names(), None]
    shares = [[_moved(told, before, after, numbers) for after in numbers] for before in numbers]
    figure = go.Figure(layout=layout(title, xaxis_title="after", yaxis_title="before"))
    figure.add_heatmap(
        x=[*names().values(), "gone"],
        y=[*names().values(), "new"],
        z=shares,
        zmin=0,
        zmax=1,
        text=[[f"{told.get((before, after), 0):,}" for after in numbers] for before in numbers],
        texttemplate="%{text}",
        colorscale="Oranges",
        colorbar={"tickformat": ".0%", "title": "of the row"},
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def _moved(
    told: dict[tuple[int | None, int | None], int], before: int | None, after: int | None, numbers: list[int | None]
) -> float:
    row = sum(told.get((before, one), 0) for one in numbers)
    return told.get((before, after), 0) / row if row else 0.0


def _ahead(found: Report) -> list[go.Figure]:
    ahead = found.outlook.by_segment
    if ahead is None:
        return []
    title = f"Segments of {found.outlook.as_of}: what became of them until {found.outlook.until}"
    figure = make_subplots(1, 2, subplot_titles=["still paying", f"commission, {found.currency}"])
    labels = [names()[number] for number in ahead["segment"]]
    colours = [COLOURS[number] for number in ahead["segment"]]
    figure.add_bar(
        x=labels, y=ahead["retained"].to_list(), marker_color=colours, texttemplate="%{y:.0%}", showlegend=False,
        row=1, col=1,
    )  # fmt: skip
    revenue = (ahead["revenue_minor"] / 10**found.exponent).to_list()
    figure.add_bar(name="came", x=labels, y=revenue, marker_color="#2166ac", row=1, col=2)
    figure.add_bar(name="predicted", x=labels, y=ahead["predicted"].to_list(), marker_color="#92c5de", row=1, col=2)
    figure.update_yaxes(tickformat=".0%", row=1, col=1)
    figure.update_layout(layout(title))
    return [figure]


def _silhouettes(found: Report) -> go.Figure:
    told = found.kept.quality["silhouettes"]
    figure = go.Figure(layout=layout("Silhouette by number of clusters (five are a choice)", xaxis_title="clusters"))
    figure.add_bar(x=list(told), y=list(told.values()), marker_color="#b0b0b0", name="random starts")
    figure.add_scatter(
        x=["5"], y=[found.kept.quality["silhouette"]], mode="markers", marker_size=12, name="these five segments"
    )
    return figure


def _notes(told: dict[str, Any]) -> str:
    firm = told["quality"]["bootstrap_ari"]
    reason = told["outlook"]["reason"]
    return (
        f"Stability: adjusted Rand index of {firm['draws']} bootstraps {firm['mean']:.2f}, least {firm['least']:.2f};"
        f" against the quintile rule {told['quality']['quintile_ari']:.2f}."
        " Churn risk and expectations by BG/NBD and Gamma-Gamma."
        + (f" No look at six months: {reason}." if reason else "")
    )
