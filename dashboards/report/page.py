"""The report: one HTML file with all it needs. A browser may load nothing else, and is told so."""

import base64
import hashlib
import json
import tomllib
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from dashboards.report.packing import folded, packed
from dashboards.report.reading import Found
from dashboards.tiles import Specification

ASSETS = Path(__file__).with_name("assets")
# In this order: each uses what stands before it.
SCRIPTS = ("rows.js", "words.js", "figures.js", "choice.js", "charts.js", "tiles.js", "report.js")
LANGUAGES = ("en", "fr")
TITLE = "Cauri"


def page(found: Found, spec: Specification, language: str) -> str:
    """The whole file; both languages are in it, `language` is shown first."""
    script = "(() => {\n'use strict';\n" + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();\n"
    plotly = get_plotlyjs()
    words = tomllib.loads(_asset("words.toml"))
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy(script, plotly))}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer"><title>{TITLE}</title>\n'
        f"<style>{_asset('report.css')}</style></head>\n"
        f'<body><noscript>{escape(words["no_script"][language])}</noscript><div id="report"></div>\n'
        f'<script type="application/json" id="about">{_json(_about(found, spec, words, language))}</script>\n'
        f'<script type="text/plain" id="rows">{packed(found.rows, spec.columns)}</script>\n'
        f'<script type="text/plain" id="plotly">{folded(plotly.encode())}</script>\n'
        f"<script>{script}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Only these scripts run, nothing is fetched; charts style their elements, and draw heat maps as images."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:;"
        " base-uri 'none'; form-action 'none'"
    )


def _about(found: Found, spec: Specification, words: dict[str, Any], language: str) -> dict[str, Any]:
    """What the script needs besides rows: the specification, words, days, freshness, and what is missing."""
    views = {name: asdict(spec.views[name]) | {"filters": spec.views[name].filters} for name in found.rows}
    return {
        "language": language,
        "since": found.since,
        "until": found.until,
        "read_at": found.read_at,
        "refreshed_at": found.freshness.refreshed_at,
        "stale": found.freshness.stale,
        "present": found.present,
        "columns": {name: asdict(column) for name, column in spec.columns.items()},
        "views": views,
        "pages": [asdict(one) for one in spec.pages],
        "words": words,
    }


def _json(document: dict[str, Any]) -> str:
    # `</script>` in a word would end the element.
    return json.dumps(document, default=str, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
