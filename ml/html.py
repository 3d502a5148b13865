"""Reports as one HTML file each: readable without a network, in the dark, on paper, on a phone."""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b;
  background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd }
.n { text-align: right } td.n { white-space: nowrap } .scroll { overflow-x: auto } small, i, .note { color: #555 }
.s { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e8e6e3 } th, td { border-color: #3a3d42 }
  small, i, .note { color: #aaa } .plot { background: #fff; border-radius: 6px } }
@media print { body { max-width: none } .plot { break-inside: avoid } }
"""
_HEIGHT = 460
_CONFIG = {"displaylogo": False, "responsive": True}


def html_page(title: str, body: str, figures: Sequence[go.Figure], *, note: str = "") -> str:
    """The whole file: `body` is HTML, `title` and `note` are text."""
    drawn = "".join(
        # The script stands in the file once.
        f'<div class="plot">{figure.to_html(full_html=False, include_plotlyjs=number == 0, config=_CONFIG)}</div>'
        for number, figure in enumerate(figures)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}{drawn}"
        f'<p class="note">{escape(note)}</p></body></html>'
    )


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> str:
    """A table of cells that are HTML; its last `numbers` columns are aligned right."""
    right = [place >= len(headings) - numbers for place in range(len(headings))]
    heads = "".join(
        f'<th scope="col"{_class(is_right)}>{escape(one)}</th>' for one, is_right in zip(headings, right, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{_class(is_right)}>{cell}</td>' for cell, is_right in zip(row, right, strict=True))}</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def layout(title: str, **more: Any) -> dict[str, Any]:
    """Of a figure, in the one style."""
    look = {"template": "plotly_white", "height": _HEIGHT, "margin": {"t": 60, "b": 50}}
    return {"title": {"text": title}, **look, "legend": {"orientation": "h", "y": -0.2}, **more}


def _class(is_right: bool) -> str:
    return ' class="n"' if is_right else ""
