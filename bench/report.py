"""The history as one HTML file that needs nothing else: speed over commits, shares of the steps, scaling, limits.

`python -m bench.report [--history FOLDER] [--out FILE]`
"""

import argparse
from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go

from bench.history import Result, latest, read_history
from bench.ratios import shares
from bench.server import FOLDER
from bench.sizes import spoken

MEASURED_BY_ROWS = ("load", "nightly")


def main() -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(prog="just bench-report", description=__doc__)
    parser.add_argument("--history", type=Path, default=FOLDER / "history", help="what `just bench` has kept")
    parser.add_argument("--out", type=Path, default=FOLDER / "report.html")
    options = parser.parse_args()
    found = read_history(options.history)
    options.out.write_text(page(found), encoding="utf-8")
    print(f"{len(found)} results drawn in {options.out}")


def page(found: Sequence[Result]) -> str:
    """The whole file."""
    newest = latest(found)
    figures = [over_commits(found), step_shares(newest), scaling(newest), *limits(newest), *bills(newest)]
    parts = [
        # The script stands in the file once: it has to be readable without a network.
        figure.to_html(full_html=False, include_plotlyjs=number == 0, default_height="520px")
        for number, figure in enumerate(figures)
    ]
    about = f"Newest run: {found[-1].at[:16]}, commit {found[-1].commit}, {found[-1].machine}."
    note = "Only ratios within one run decide: absolute figures are those of a machine and of what else it did."
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cauri: rows per second</title></head>'
        f"<body><h1>Cauri: rows per second</h1><p>{escape(about)} {note}</p>{''.join(parts)}</body></html>"
    )


def over_commits(found: Sequence[Result]) -> go.Figure:
    """Rows a second of each benchmark, run by run; the bars reach from the slowest round to the fastest."""
    figure = go.Figure(layout=_layout("Rows per second over commits", "commit", "rows per second"))
    for name in sorted({_labelled(one) for one in found if one.group in MEASURED_BY_ROWS}):
        same = [one for one in found if _labelled(one) == name]
        speeds = [one.rows_per_second for one in same]
        figure.add_scatter(
            name=name,
            x=[f"{one.at[5:16]}<br>{one.commit}" for one in same],
            y=speeds,
            mode="lines+markers",
            error_y={
                "type": "data",
                "array": [one.rows / one.low - speed for one, speed in zip(same, speeds, strict=True)],
                "arrayminus": [speed - one.rows / one.high for one, speed in zip(same, speeds, strict=True)],
            },
        )
    return figure


def step_shares(newest: Sequence[Result]) -> go.Figure:
    """Of each benchmark's newest result, the share of each step."""
    with_steps = [one for one in newest if one.extra.get("steps")]
    figure = go.Figure(layout=_layout("Shares of the steps, newest results", "share of all steps", ""))
    figure.update_layout(barmode="stack", xaxis_tickformat=".0%")
    names = dict.fromkeys(step for one in with_steps for step in one.extra["steps"])
    for step in sorted(names, key=_number):
        figure.add_bar(
            name=step,
            orientation="h",
            y=[_labelled(one) for one in with_steps],
            x=[shares(one.extra["steps"]).get(step, 0.0) for one in with_steps],
        )
    return figure


def scaling(newest: Sequence[Result]) -> go.Figure:
    """Rows a second by the number of rows."""
    figure = go.Figure(layout=_layout("Scaling", "rows", "rows per second"))
    figure.update_xaxes(type="log")
    loads = [one for one in newest if one.group == "load"]
    for name in sorted({one.name for one in loads}):
        same = sorted((one for one in loads if one.name == name), key=lambda one: one.rows)
        figure.add_scatter(
            name=name, x=[one.rows for one in same], y=[one.rows_per_second for one in same], mode="lines+markers"
        )
    return figure


def limits(newest: Sequence[Result]) -> list[go.Figure]:
    """The physical limits on top of each other, beside the whole load."""
    measured = [one for one in newest if one.extra.get("limits")]
    if not measured:
        return []
    figure = go.Figure(layout=_layout("Limits against the load", "", "microseconds a row"))
    figure.update_layout(barmode="stack")
    for one in measured:
        label = f"{_labelled(one)}: {one.extra['share']:.0%}"
        for limit in one.extra["limits"]:
            if limit["summed"]:
                figure.add_bar(name=limit["name"], x=[f"{label}, limits"], y=[limit["wall"] / one.rows * 1e6])
        figure.add_bar(name="load", x=[f"{label}, load"], y=[one.extra["load"] / one.rows * 1e6])
    return [figure]


def bills(newest: Sequence[Result]) -> list[go.Figure]:
    """Where the core seconds of each step go."""
    figures = []
    for one in newest:
        items = [item for item in one.extra.get("bill", ()) if item["step"] != "all"]
        if items:
            figure = go.Figure(layout=_layout(f"Core seconds by step, {_labelled(one)}", "core seconds", ""))
            figure.update_layout(barmode="stack")
            figure.update_yaxes(autorange="reversed")
            for kind in ("client", "server", "idle"):
                steps, spent = [item["step"] for item in items], [item[kind] for item in items]
                figure.add_bar(name=kind, orientation="h", y=steps, x=spent)
            figures.append(figure)
    return figures


def _layout(title: str, x: str, y: str) -> dict[str, object]:
    return {"title": {"text": title}, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}


def _labelled(result: Result) -> str:
    into = result.extra.get("into_rows")
    return f"{result.name}, {spoken(result.rows)}" + (f" into {spoken(into)}" if into else "")


def _number(step: str) -> int:
    return int(step.partition(" ")[0])


if __name__ == "__main__":
    main()
