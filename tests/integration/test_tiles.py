"""Figures of the tiles as their SQL has them, against the same computed from the views in Polars."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from dashboards.specification import specification
from dashboards.statements import statement_of
from dashboards.tiles import Measure, Tile
from sample.catalogue import SERVICES
from tests.loading import value_of
from tests.metabase import with_values
from tests.scoring import Scoring
from warehouse.connection import connect

SPECIFICATION = specification()
TILES = [tile for _, tile in SPECIFICATION.tiles]
CHOICES: tuple[Mapping[str, str], ...] = (
    {},
    {"country": "CI"},
    {"segment": "PREMIUM"},
    {"country": "SN", "segment": "BASIC", "service": SERVICES[0].name},
    {"since": "2024-02-01", "until": "2024-04-15", "currency": "XOF"},
)


@pytest.fixture(scope="module")
def views(analysed_warehouse: Scoring) -> dict[str, pl.DataFrame]:
    """The views whole; numbers as floats."""
    with connect(analysed_warehouse.url) as connection:
        return {name: frame(connection, f'SELECT * FROM dwh."{name}"') for name in SPECIFICATION.views}


def frame(connection: Any, text: str) -> pl.DataFrame:
    done = connection.execute(text.encode())
    names = [column.name for column in done.description]
    rows = [[float(one) if type(one).__name__ == "Decimal" else one for one in row] for row in done]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def chosen(tile: Tile, rows: pl.DataFrame, values: Mapping[str, str], main_currency: str) -> pl.DataFrame:
    """Rows that the filters leave, by the words of the specification."""
    view = SPECIFICATION.view(tile)
    filters = SPECIFICATION.filters(tile)
    for name, column in filters.items():
        if name == "date":
            day = pl.col(column).cast(pl.String)
            rows = rows.filter(day >= values.get("since", "0"), day <= values.get("until", "9"))
            if rows.height and (tile.newest or view.holds == "snapshot"):
                rows = rows.filter(pl.col(column) == rows[column].max())
            continue
        default = main_currency if name == "currency" else view.totals.get(column)
        if (value := values.get(name, default)) is not None:
            rows = rows.filter(pl.col(column) == value)
    return rows


def figure(measure: Measure, rows: pl.DataFrame) -> float | None:
    value, over = rows[measure.column], rows[measure.over or measure.column]
    if not rows.height:
        return None
    if measure.aggregation == "sum":
        return float(value.sum()) if value.null_count() < value.len() else None
    if measure.aggregation == "ratio":
        return float(value.sum()) / float(over.sum()) if over.sum() else None
    known = rows.filter(value.is_not_null())
    weights = known[measure.over or measure.column]
    weighted = float((known[measure.column] * weights).sum())
    return weighted / float(weights.sum()) if weights.sum() else None


@pytest.mark.parametrize("values", CHOICES, ids=["all", "country", "segment", "service", "period"])
def test_figures_are_those_of_the_views(
    analysed_warehouse: Scoring, views: dict[str, pl.DataFrame], values: Mapping[str, str]
) -> None:
    currency = value_of(
        analysed_warehouse.url,
        "SELECT currency_code FROM dwh.mv_daily_kpi GROUP BY 1 ORDER BY sum(transactions) DESC, 1 LIMIT 1",
    )
    compared = 0
    with connect(analysed_warehouse.url) as connection:
        for tile in TILES:
            rows = chosen(tile, views[tile.view], values, currency)
            shown = frame(connection, with_values(statement_of(SPECIFICATION, tile), values))
            if tile.columns:
                assert shown.height == min(rows.height, tile.limit or rows.height), tile.id
                continue
            for place, measure in enumerate(tile.measures, start=-len(tile.measures)):
                found = shown[shown.columns[place]]
                if tile.by is None:
                    assert found[0] == pytest.approx(figure(measure, rows)), (tile.id, measure.id)
                    compared += found[0] is not None
                elif measure.aggregation == "sum":
                    assert (found.sum() or 0) == pytest.approx(figure(measure, rows) or 0), (tile.id, measure.id)
    assert compared >= 8


def test_tiles_have_rows(analysed_warehouse: Scoring) -> None:
    with connect(analysed_warehouse.url) as connection:
        empty = [
            tile.id
            for tile in TILES
            if not frame(connection, with_values(statement_of(SPECIFICATION, tile), {})).height
        ]
    assert empty == []
