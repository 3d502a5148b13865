"""A page as a dashboard of Metabase: filters and the places of cards."""

from dataclasses import dataclass
from typing import Any

from dashboards.metabase.cards import TAGS, Card, card_of, stable_uuid, widget
from dashboards.statements import VARIABLES, Language
from dashboards.tiles import Page, Place, Specification

COLLECTION = "Cauri"


@dataclass(frozen=True)
class Placed:
    card: Card
    place: Place

    @property
    def mappings(self) -> list[tuple[str, list[Any]]]:
        """Of each variable of the card: its filter on the page, and what that sets."""
        return [(filter_id(name), ["variable", ["template-tag", name]]) for name in self.card.statement.variables]


@dataclass(frozen=True)
class Dashboard:
    """A page: its cards with their places."""

    key: str
    name: str
    description: str
    placed: tuple[Placed, ...]
    language: Language

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The filters that some card has."""
        used = {name for one in self.placed for name in one.card.statement.variables}
        return [_parameter(name, self.language) for name in VARIABLES if name in used]


def dashboards_of(specification: Specification, language: Language) -> list[Dashboard]:
    """All pages, in their order."""
    return [_dashboard(specification, page, language) for page in specification.pages]


def filter_id(name: str) -> str:
    """Identity of a filter; the same on all pages."""
    return stable_uuid(f"filter.{name}")


def _dashboard(specification: Specification, page: Page, language: Language) -> Dashboard:
    title, about = (page.title.fr, page.about.fr) if language == "fr" else (page.title.en, page.about.en)
    placed = tuple(Placed(card_of(specification, tile, language), tile.place) for tile in page.tiles)
    return Dashboard(page.id, title, about, placed, language)


def _parameter(name: str, language: Language) -> dict[str, Any]:
    kind = widget(name)
    return {
        "id": filter_id(name),
        "name": TAGS[name][1][language],
        "slug": name,
        "type": kind,
        "sectionId": kind.partition("/")[0],
    }
