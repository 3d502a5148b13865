"""Cards and dashboards in Metabase's own form of text files, which its validator and its importers read."""

from typing import Any

from dashboards.metabase.cards import Card, entity_id
from dashboards.metabase.pages import COLLECTION, Dashboard, Placed, dashboards_of
from dashboards.statements import Language
from dashboards.tiles import Specification

# The form wants somebody who made it; importers put themselves in the place.
_CREATOR = "admin@example.com"
DATABASE = "Cauri"

Document = dict[str, Any]


def representations(specification: Specification, language: Language = "en") -> dict[str, Document]:
    """Path below the folder -> document."""
    documents = {"collections/main/cauri.yaml": _collection()}
    for dashboard in dashboards_of(specification, language):
        documents[f"collections/main/cauri/{dashboard.key}.yaml"] = _dashboard(dashboard)
        for one in dashboard.placed:
            documents[f"collections/main/cauri/{dashboard.key}/{one.card.key}.yaml"] = _card(one.card, dashboard)
    return documents


def _collection() -> Document:
    return {
        "name": COLLECTION,
        "slug": "cauri",
        "entity_id": entity_id("collection"),
        **_meta("Collection", "collection", "cauri"),
    }


def _card(card: Card, dashboard: Dashboard) -> Document:
    stage = {"lib/type": "mbql.stage/native", "native": card.statement.text, "template-tags": card.tags}
    return {
        "name": card.name,
        "description": card.description,
        "entity_id": entity_id(card.key),
        "creator_id": _CREATOR,
        "collection_id": entity_id("collection"),
        "dashboard_id": entity_id(f"dashboard.{dashboard.key}"),
        "database_id": DATABASE,
        "display": card.display,
        "query_type": "native",
        "type": "question",
        "dataset_query": {"lib/type": "mbql/query", "database": DATABASE, "stages": [stage]},
        "parameters": [{name: one[name] for name in ("id", "name", "slug", "type")} for one in card.parameters],
        "visualization_settings": card.settings,
        **_meta("Card", card.key, card.key),
    }


def _dashboard(dashboard: Dashboard) -> Document:
    name = f"dashboard.{dashboard.key}"
    return {
        "name": dashboard.name,
        "description": dashboard.description,
        "entity_id": entity_id(name),
        "creator_id": _CREATOR,
        "collection_id": entity_id("collection"),
        "width": "full",
        "parameters": dashboard.parameters,
        "dashcards": [_dashcard(one, name) for one in dashboard.placed],
        **_meta("Dashboard", name, dashboard.key),
    }


def _dashcard(one: Placed, dashboard: str) -> Document:
    card, identity = entity_id(one.card.key), entity_id(f"place.{one.card.key}")
    return {
        "entity_id": identity,
        "card_id": card,
        "row": one.place.row,
        "col": one.place.column,
        "size_x": one.place.width,
        "size_y": one.place.height,
        "parameter_mappings": [
            {"card_id": card, "parameter_id": parameter, "target": target} for parameter, target in one.mappings
        ],
        "visualization_settings": {},
        "serdes/meta": [
            {"id": entity_id(dashboard), "model": "Dashboard"},
            {"id": identity, "model": "DashboardCard"},
        ],
    }


def _meta(model: str, name: str, label: str) -> Document:
    return {"serdes/meta": [{"id": entity_id(name), "label": label, "model": model}]}
