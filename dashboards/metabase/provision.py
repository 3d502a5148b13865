"""Bring a Metabase to what the specification says: the database, a collection a page, its cards, its dashboard."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from dashboards.metabase.client import Metabase
from dashboards.metabase.pages import COLLECTION, Dashboard, Placed
from warehouse.errors import ConfigurationError

DATABASE = "Cauri"


@dataclass(frozen=True)
class Provisioned:
    """What there is now."""

    cards: int
    dashboards: tuple[int, ...]


def provision(metabase: Metabase, dashboards: list[Dashboard], reader_url: str) -> Provisioned:
    """Make what is missing, and change what is there to what it should be.

    Raises:
        ConfigurationError: `reader_url` lacks host, database or user; Metabase refuses the login.
        TargetError, TransientTargetError: Metabase refuses, or is away.
    """
    database = _keep_database(metabase, reader_url)
    top = _keep_collection(metabase, COLLECTION, None)
    return Provisioned(
        sum(len(one.placed) for one in dashboards),
        tuple(_keep_page(metabase, one, database, _keep_collection(metabase, one.name, top)) for one in dashboards),
    )


def connection_details(reader_url: str) -> dict[str, Any]:
    """What Metabase wants to know of the warehouse: as a reader, its views alone."""
    parts = urlsplit(reader_url)
    if not (parts.hostname and parts.username and parts.path.strip("/")):
        raise ConfigurationError(
            "CAURI_DATABASE_URL does not name host, user and database",
            remedy="use the form postgresql://analyst:password@host:5432/database",
        )
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "dbname": parts.path.strip("/"),
        "user": unquote(parts.username),
        "password": unquote(parts.password or ""),
        "ssl": "sslmode=require" in parts.query or "sslmode=verify" in parts.query,
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": "dwh",
    }


def _keep_database(metabase: Metabase, reader_url: str) -> int:
    known = {one["name"]: one["id"] for one in metabase.call("GET", "database")["data"]}
    document = {"name": DATABASE, "engine": "postgres", "details": connection_details(reader_url)}
    return metabase.keep("database", known, DATABASE, document)


def _keep_collection(metabase: Metabase, name: str, parent: int | None) -> int:
    location = "/" if parent is None else f"/{parent}/"
    known = {
        one["name"]: one["id"]
        for one in metabase.call("GET", "collection")
        if one.get("location") == location and not one.get("archived")
    }
    return metabase.keep("collection", known, name, {"name": name, "parent_id": parent})


def _keep_page(metabase: Metabase, page: Dashboard, database: int, collection: int) -> int:
    cards = _named(metabase, collection, "card")
    numbers = {}
    for one in page.placed:
        numbers[one.card.key] = metabase.keep("card", cards, one.card.name, _card(one, database, collection))
    known = _named(metabase, collection, "dashboard")
    about = {
        "name": page.name,
        "description": page.description,
        "collection_id": collection,
        "parameters": page.parameters,
        "width": "full",
    }
    dashboard = metabase.keep("dashboard", known, page.name, about)
    there = {one["card_id"]: one["id"] for one in metabase.call("GET", f"dashboard/{dashboard}")["dashcards"]}
    places = [
        _dashcard(one, numbers[one.card.key], there.get(numbers[one.card.key], -place))
        for place, one in enumerate(page.placed, start=1)
    ]
    metabase.call("PUT", f"dashboard/{dashboard}", {"dashcards": places, "tabs": []})
    return dashboard


def _named(metabase: Metabase, collection: int, model: str) -> dict[str, int]:
    items = metabase.call("GET", f"collection/{collection}/items?models={model}&limit=1000")["data"]
    return {one["name"]: one["id"] for one in items}


def _card(one: Placed, database: int, collection: int) -> dict[str, Any]:
    card = one.card
    native = {"query": card.statement.text, "template-tags": {tag["name"]: tag for tag in card.tags}}
    return {
        "name": card.name,
        "description": card.description,
        "collection_id": collection,
        "display": card.display,
        "type": "question",
        "dataset_query": {"type": "native", "database": database, "native": native},
        "parameters": card.parameters,
        "visualization_settings": card.settings,
    }


def _dashcard(one: Placed, card: int, number: int) -> dict[str, Any]:
    """Its place; a negative number is one that Metabase has yet to make."""
    return {
        "id": number,
        "card_id": card,
        "row": one.place.row,
        "col": one.place.column,
        "size_x": one.place.width,
        "size_y": one.place.height,
        "series": [],
        "visualization_settings": {},
        "parameter_mappings": [
            {"parameter_id": parameter, "card_id": card, "target": target} for parameter, target in one.mappings
        ],
    }
