"""The report in PBIR: four pages, a visual a tile, and what can be chosen above them."""

from collections.abc import Iterator
from typing import Any

from dashboards.metabase.cards import entity_id
from dashboards.powerbi.measures import ModelMeasure, measures_of
from dashboards.powerbi.model import CHOICES, MEASURES
from dashboards.tiles import FILTER_COLUMNS, Page, Specification, Tile

_SCHEMA = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition"
_WIDTH, _COLUMNS, _ROW = 1280, 24, 40
# Rows of the grid that the choices take.
_CHOICES_HEIGHT = 2
_GAP = 6

Document = dict[str, Any]


def report_files(specification: Specification) -> dict[str, Document]:
    """Path below `definition/` -> document."""
    measures = measures_of(specification)
    files: dict[str, Document] = {
        "version.json": {"$schema": f"{_SCHEMA}/versionMetadata/1.0.0/schema.json", "version": "2.0.0"},
        "report.json": _report(),
        "pages/pages.json": {
            "$schema": f"{_SCHEMA}/pagesMetadata/1.0.0/schema.json",
            "pageOrder": [page.id for page in specification.pages],
            "activePageName": specification.pages[0].id,
        },
    }
    for page in specification.pages:
        files[f"pages/{page.id}/page.json"] = _page(page)
        for visual in [*_slicers(specification, page), *(_visual(specification, one, measures) for one in page.tiles)]:
            files[f"pages/{page.id}/visuals/{visual['name']}/visual.json"] = visual
    return files


def _report() -> Document:
    return {
        "$schema": f"{_SCHEMA}/report/1.2.0/schema.json",
        "themeCollection": {
            "baseTheme": {"name": "CY24SU10", "reportVersionAtImport": "5.61", "type": "SharedResources"}
        },
        "settings": {"useStylableVisualContainerHeader": True, "defaultDrillFilterOtherVisuals": True},
    }


def _page(page: Page) -> Document:
    height = (max(one.place.row + one.place.height for one in page.tiles) + _CHOICES_HEIGHT) * _ROW
    return {
        "$schema": f"{_SCHEMA}/page/1.3.0/schema.json",
        "name": page.id,
        "displayName": page.title.en,
        "displayOption": "FitToWidth",
        "height": height,
        "width": _WIDTH,
    }


def _slicers(specification: Specification, page: Page) -> Iterator[Document]:
    used = {name for tile in page.tiles for name in specification.filters(tile)}
    chosen = [("Date", "Date")] + [(table, FILTER_COLUMNS[name]) for name, table in CHOICES.items() if name in used]
    width = _COLUMNS // 5
    for number, (table, column) in enumerate(chosen):
        mode = "Between" if table == "Date" else "Dropdown"
        position = _position(number * width, 0, width, _CHOICES_HEIGHT, number)
        query = {"Values": {"projections": [_projection(_column(table, column), f"{table}.{column}", column)]}}
        objects = {"data": [{"properties": {"mode": _literal(f"'{mode}'")}}]}
        yield _container(f"choice.{page.id}.{table}", "slicer", position, query, objects, table)


def _visual(specification: Specification, tile: Tile, measures: dict[tuple[str, str], ModelMeasure]) -> Document:
    place = tile.place
    position = _position(place.column, place.row + _CHOICES_HEIGHT, place.width, place.height, 10)
    values = [_figure(measures[tile.id, measure.id], measure.title.en) for measure in tile.measures]
    kind, query = _drawn(specification, tile, values)
    state = {role: {"projections": projections} for role, projections in query.items() if projections}
    objects = _shades(tile, measures) if tile.kind in ("heat_map", "matrix") else {}
    key, sort = f"tile.{tile.id}", _sort(specification, tile, measures)
    visual = _container(key, kind, position, state, objects, tile.title.en, sort)
    if tile.columns and tile.limit and tile.sort:
        visual["filterConfig"] = {"filters": [_at_most(tile.view, tile.sort, tile.limit)]}
    return visual


def _drawn(specification: Specification, tile: Tile, values: list[Document]) -> tuple[str, dict[str, list[Document]]]:
    """Kind of visual, and what plays which role in it."""
    by = [_axis(specification, tile, tile.by)] if tile.by else []
    series = [_axis(specification, tile, tile.series)] if tile.series else []
    over_time = tile.by is not None and specification.columns[tile.by].type == "date"
    if tile.kind == "number":
        return "card", {"Values": values}
    if tile.kind == "table":
        names = list(tile.columns)
        if names and specification.view(tile).currency == "transaction":
            # Rows of all currencies stand below each other until one is chosen: say which each is of.
            names.append("currency_code")
        rows = [_axis(specification, tile, name) for name in names]
        return "tableEx", {"Values": [*rows, *by, *values]}
    if tile.kind in ("heat_map", "matrix"):
        return "pivotTable", {"Rows": series, "Columns": by, "Values": values[:1]}
    bar = "clusteredColumnChart" if over_time else "clusteredBarChart"
    kind = {"line": "lineChart", "stacked_bar": "columnChart"}.get(tile.kind, bar)
    return kind, {"Category": by, "Series": series, "Y": values}


def _axis(specification: Specification, tile: Tile, name: str) -> Document:
    """A column on an axis: of the table to choose from where there is one, so that all visuals filter each other."""
    view = specification.view(tile)
    table, column = view.name, name
    if name == view.date and not tile.columns:
        table, column = "Date", "Date" if view.holds == "day" else "Month"
    for choice, chosen in CHOICES.items():
        if FILTER_COLUMNS[choice] == name and choice in view.filters:
            table = chosen
    return _projection(_column(table, column), f"{table}.{column}", specification.columns[name].en)


def _figure(measure: ModelMeasure, title: str) -> Document:
    return _projection(_measure(measure), f"{MEASURES}.{measure.name}", title)


def _sort(specification: Specification, tile: Tile, measures: dict[tuple[str, str], ModelMeasure]) -> Document | None:
    if not tile.sort:
        return None
    if tile.columns:
        field, direction = _column(tile.view, tile.sort), "Ascending"
    else:
        field, direction = _measure(measures[tile.id, tile.sort]), "Descending"
    return {"sort": [{"field": field, "direction": direction}], "isDefaultSort": False}


def _at_most(view: str, column: str, limit: int) -> Document:
    """Only rows whose rank is not above the limit."""
    here = {"Column": {"Expression": {"SourceRef": {"Source": "v"}}, "Property": column}}
    # 4: less than or equal.
    condition = {"Comparison": {"ComparisonKind": 4, "Left": here, "Right": {"Literal": {"Value": f"{limit}L"}}}}
    return {
        "name": entity_id(f"powerbi.limit.{view}"),
        "field": _column(view, column),
        "type": "Advanced",
        "filter": {
            "Version": 2,
            "From": [{"Name": "v", "Entity": view, "Type": 0}],
            "Where": [{"Condition": condition}],
        },
    }


def _shades(tile: Tile, measures: dict[tuple[str, str], ModelMeasure]) -> Document:
    """Cells coloured by their figure, white to red."""
    measure = measures[tile.id, tile.measures[0].id]
    gradient = {
        "min": {"color": {"Literal": {"Value": "'#FFFFFF'"}}},
        "max": {"color": {"Literal": {"Value": "'#C62828'"}}},
        "nullColoringStrategy": {"strategy": {"Literal": {"Value": "'asZero'"}}},
    }
    rule = {"FillRule": {"Input": _measure(measure), "FillRule": {"linearGradient2": gradient}}}
    colour = {"solid": {"color": {"expr": rule}}}
    selector = {"data": [{"dataViewWildcard": {"matchingOption": 1}}], "metadata": f"{MEASURES}.{measure.name}"}
    return {"values": [{"properties": {"backColor": colour}, "selector": selector}]}


def _container(
    key: str,
    kind: str,
    position: Document,
    query: Document,
    objects: Document,
    title: str,
    sort: Document | None = None,
) -> Document:
    definition = {"queryState": query} | ({"sortDefinition": sort} if sort else {})
    shown = {
        "title": [{"properties": {"show": _literal("true"), "text": _literal("'" + title.replace("'", "''") + "'")}}]
    }
    visual: Document = {"visualType": kind, "query": definition}
    visual |= {"objects": objects} if objects else {}
    visual |= {"visualContainerObjects": shown, "drillFilterOtherVisuals": True}
    return {
        "$schema": f"{_SCHEMA}/visualContainer/2.0.0/schema.json",
        "name": entity_id(f"powerbi.{key}"),
        "position": position,
        "visual": visual,
    }


def _position(column: int, row: int, width: int, height: int, order: int) -> Document:
    step = _WIDTH / _COLUMNS
    return {
        "x": round(column * step + _GAP / 2, 2),
        "y": row * _ROW + _GAP // 2,
        "z": order * 1000,
        "height": height * _ROW - _GAP,
        "width": round(width * step - _GAP, 2),
        "tabOrder": (row * _COLUMNS + column) * 10,
    }


def _projection(field: Document, reference: str, title: str) -> Document:
    return {"field": field, "queryRef": reference, "nativeQueryRef": reference.partition(".")[2], "displayName": title}


def _column(table: str, column: str) -> Document:
    return {"Column": {"Expression": {"SourceRef": {"Entity": table}}, "Property": column}}


def _measure(measure: ModelMeasure) -> Document:
    return {"Measure": {"Expression": {"SourceRef": {"Entity": MEASURES}}, "Property": measure.name}}


def _literal(value: str) -> Document:
    return {"expr": {"Literal": {"Value": value}}}
