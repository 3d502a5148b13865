"""Pages of tiles over views: what a dashboard is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

GRID = 24

ColumnType = Literal["date", "integer", "amount", "number", "text", "flag"]
FilterName = Literal["date", "country", "segment", "service", "currency"]
Kind = Literal["number", "line", "bar", "stacked_bar", "heat_map", "matrix", "table"]
Aggregation = Literal["sum", "ratio", "mean"]
Format = Literal["count", "amount", "percent", "per_myriad", "milliseconds", "days", "decimal"]

# Of each filter but that of the date, the column that it restricts.
FILTER_COLUMNS: Mapping[FilterName, str] = {
    "country": "country_code",
    "segment": "customer_segment",
    "service": "service_name",
    "currency": "currency_code",
}
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Text:
    """A title or a sentence."""

    __pydantic_config__ = _STRICT
    en: str
    fr: str


@dataclass(frozen=True)
class Column:
    """A column by its name; `in_french` is the column with the same in French, `order` the one that sorts it."""

    __pydantic_config__ = _STRICT
    name: str
    type: ColumnType
    en: str
    fr: str
    in_french: str | None = None
    order: str | None = None


@dataclass(frozen=True)
class Rollup:
    """A view with the columns of another one, whose rows it has, and `totals` of them: values that stand for a sum."""

    __pydantic_config__ = _STRICT
    view: str
    totals: Mapping[str, str]


@dataclass(frozen=True)
class View:
    """A view of schema `dwh`; `spec/views.toml` explains the fields."""

    __pydantic_config__ = _STRICT
    name: str
    kind: Literal["view", "materialized_view"]
    date: str
    holds: Literal["day", "month", "snapshot"]
    currency: Literal["transaction", "reporting", "none"]
    needs: Literal["transactions", "labels", "scores", "labels_or_scores", "segments", "moves"]
    columns: tuple[str, ...]
    totals: Mapping[str, str] = field(default_factory=dict)
    rollup: Rollup | None = None

    @property
    def filters(self) -> dict[FilterName, str]:
        """Filters that apply to it, with their columns. Amounts that were converted have no currency to choose."""
        found: dict[FilterName, str] = {"date": self.date}
        for name, column in FILTER_COLUMNS.items():
            if column in self.columns and (name != "currency" or self.currency == "transaction"):
                found[name] = column
        return found


@dataclass(frozen=True)
class Place:
    """Of a tile on the grid of 24 columns; a row is about 40 pixels high."""

    __pydantic_config__ = _STRICT
    column: int
    row: int
    width: int
    height: int

    def overlaps(self, other: "Place") -> bool:
        return (
            self.column < other.column + other.width
            and other.column < self.column + self.width
            and self.row < other.row + other.height
            and other.row < self.row + self.height
        )


@dataclass(frozen=True)
class Measure:
    """A figure of a group of rows.

    sum: Σ column. ratio: Σ column / Σ over. mean: Σ (column x over) / Σ over, rows without a value left out.
    `better` is the direction that is good news.
    """

    __pydantic_config__ = _STRICT
    id: str
    title: Text
    column: str
    format: Format
    aggregation: Aggregation = "sum"
    over: str | None = None
    better: Literal["up", "down", "neither"] = "neither"


@dataclass(frozen=True)
class Tile:
    """A figure, chart or table.

    `by` is the column of the horizontal axis (or of the rows of a table), `series` tells bars or lines apart; of heat
    map and matrix it is the vertical axis. `columns` are those of a table of rows as they are. `sort` is ascending by a
    column, descending by a measure. Of a view by month, and of snapshots, a tile with `newest` takes the newest only.
    """

    __pydantic_config__ = _STRICT
    id: str
    title: Text
    about: Text
    view: str
    kind: Kind
    place: Place
    measures: tuple[Measure, ...] = ()
    by: str | None = None
    series: str | None = None
    columns: tuple[str, ...] = ()
    sort: str | None = None
    limit: int | None = None
    newest: bool = False

    @property
    def used(self) -> set[str]:
        """Columns that it needs, filters aside."""
        read = {one for measure in self.measures for one in (measure.column, measure.over)}
        return {one for one in (*read, *self.columns, self.by, self.series) if one is not None}


@dataclass(frozen=True)
class Page:
    """A dashboard."""

    __pydantic_config__ = _STRICT
    id: str
    title: Text
    about: Text
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Specification:
    """All of it."""

    columns: Mapping[str, Column]
    views: Mapping[str, View]
    pages: tuple[Page, ...]

    @property
    def tiles(self) -> Iterator[tuple[Page, Tile]]:
        return ((page, tile) for page in self.pages for tile in page.tiles)

    def view(self, tile: Tile) -> View:
        return self.views[tile.view]

    def filters(self, tile: Tile) -> dict[FilterName, str]:
        """Filters that apply to a tile, with their columns."""
        return self.view(tile).filters
