"""A tile as a card of Metabase: what it asks, and how that is drawn."""

import hashlib
import uuid
from dataclasses import dataclass, replace
from typing import Any

from dashboards.statements import Language, Statement, statement_of
from dashboards.tiles import Format, Measure, Specification, Tile

# Name of a variable -> its type in Metabase, and its title.
TAGS: dict[str, tuple[str, dict[Language, str]]] = {
    "since": ("date", {"en": "From", "fr": "Du"}),
    "until": ("date", {"en": "To", "fr": "Au"}),
    "country": ("text", {"en": "Country", "fr": "Pays"}),
    "segment": ("text", {"en": "Customer segment", "fr": "Segment commercial"}),
    "service": ("text", {"en": "Service", "fr": "Service"}),
    "currency": ("text", {"en": "Currency", "fr": "Devise"}),
}
_NUMBERS: dict[Format, dict[str, Any]] = {
    "count": {"decimals": 0},
    "amount": {"decimals": 0},
    "percent": {"number_style": "percent", "decimals": 1},
    "per_myriad": {"scale": 10_000, "decimals": 1},
    "milliseconds": {"decimals": 0, "suffix": " ms"},
    "days": {"decimals": 0},
    "decimal": {"decimals": 1},
}
_FRAUD_RED, _PAPER = "#C62828", "#FFFFFF"


@dataclass(frozen=True)
class Card:
    """What Metabase is told, its numbers of collections and databases aside."""

    key: str
    name: str
    description: str
    display: str
    statement: Statement
    settings: dict[str, Any]
    language: Language

    @property
    def tags(self) -> list[dict[str, Any]]:
        """The variables, as Metabase declares them."""
        return [
            {
                "type": TAGS[name][0],
                "name": name,
                "id": stable_uuid(f"{self.key}.{name}"),
                "display-name": TAGS[name][1][self.language],
            }
            for name in self.statement.variables
        ]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The widgets of the variables on the card itself."""
        return [
            {
                "id": tag["id"],
                "type": widget(tag["name"]),
                "target": ["variable", ["template-tag", tag["name"]]],
                "name": tag["display-name"],
                "slug": tag["name"],
            }
            for tag in self.tags
        ]


def card_of(specification: Specification, tile: Tile, language: Language) -> Card:
    """The card of a tile."""
    if tile.kind in ("heat_map", "matrix"):
        # A table that is pivoted has one figure in a cell.
        tile = replace(tile, measures=tile.measures[:1])
    statement = statement_of(specification, tile, language)
    title, about = (tile.title.fr, tile.about.fr) if language == "fr" else (tile.title.en, tile.about.en)
    return Card(tile.id, title, about, _display(specification, tile), statement, _settings(tile, statement), language)


def widget(variable: str) -> str:
    """The kind of filter that sets a variable."""
    return "date/single" if TAGS[variable][0] == "date" else "string/="


def stable_uuid(name: str) -> str:
    """The same for the same name, always."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"cauri/{name}"))


def entity_id(name: str) -> str:
    """Metabase's identity of 21 letters, the same for the same name."""
    return hashlib.sha256(f"cauri/{name}".encode()).hexdigest()[:21]


def _display(specification: Specification, tile: Tile) -> str:
    over_time = tile.by is not None and specification.columns[tile.by].type == "date"
    if tile.kind == "bar" and not over_time and len(tile.measures) == 1 and tile.series is None:
        return "row"
    # Questions in SQL are pivoted by the settings of a table; the display `pivot` is for Metabase's own queries only.
    kinds = {"number": "scalar", "stacked_bar": "bar", "heat_map": "table", "matrix": "table"}
    return kinds.get(tile.kind, tile.kind)


def _settings(tile: Tile, statement: Statement) -> dict[str, Any]:
    axes = len(statement.labels) - len(tile.measures)
    dimensions, figures = list(statement.labels[:axes]), list(statement.labels[axes:])
    columns = {f'["name","{label}"]': _number(measure) for measure, label in zip(tile.measures, figures, strict=True)}
    settings: dict[str, Any] = {"column_settings": columns} if columns else {}
    if tile.kind in ("line", "bar", "stacked_bar"):
        settings |= {"graph.dimensions": dimensions, "graph.metrics": figures}
    if tile.kind == "line":
        settings["graph.y_axis.auto_range"] = True
    if tile.kind == "stacked_bar":
        settings["stackable.stack_type"] = "stacked"
    if tile.kind in ("heat_map", "matrix"):
        cell = figures[0]
        shade = {"columns": [cell], "type": "range", "colors": [_PAPER, _FRAUD_RED], "min_type": None, "max_type": None}
        settings |= {
            "table.pivot": True,
            "table.pivot_column": dimensions[0],
            "table.cell_column": cell,
            "table.column_formatting": [shade],
        }
    return settings


def _number(measure: Measure) -> dict[str, Any]:
    return dict(_NUMBERS[measure.format])
