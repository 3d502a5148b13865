"""Whether the parts of a specification fit together."""

from collections.abc import Iterator
from itertools import combinations

from dashboards.tiles import GRID, Measure, Specification, Tile, View

_NUMERIC = {"integer", "amount", "number"}


def problems_of(found: Specification) -> Iterator[str]:
    """What is wrong, by file, tile and column."""
    for column in found.columns.values():
        named = [one for one in (column.in_french, column.order) if one is not None]
        yield from (f"columns.toml, {column.name}: {one} is no column" for one in named if one not in found.columns)
    for view in found.views.values():
        yield from (
            f"views.toml, {view.name}: {one} is not in columns.toml" for one in view.columns if one not in found.columns
        )
        yield from (
            f"views.toml, {view.name}: has no column {one}"
            for one in (view.date, *view.totals, *(view.rollup.totals if view.rollup else ()))
            if one not in view.columns
        )
    ids = [tile.id for _, tile in found.tiles]
    yield from (f"{one} is the id of {ids.count(one)} tiles" for one in sorted(set(ids)) if ids.count(one) > 1)
    for page in found.pages:
        for tile, other in combinations(page.tiles, 2):
            if tile.place.overlaps(other.place):
                yield f"{page.id}.toml: tiles {tile.id} and {other.id} overlap"
        for tile in page.tiles:
            yield from (f"{page.id}.toml, tile {tile.id}: {problem}" for problem in _tile_problems(found, tile))


def _tile_problems(found: Specification, tile: Tile) -> Iterator[str]:
    view = found.views.get(tile.view)
    if view is None:
        yield f"there is no view {tile.view} in views.toml"
        return
    yield from (f"{view.name} has no column {one}" for one in sorted(tile.used - set(view.columns)))
    if tile.place.column < 0 or tile.place.width < 1 or tile.place.column + tile.place.width > GRID:
        yield f"does not fit into {GRID} columns"
    if tile.kind == "table" and tile.columns:
        if tile.measures:
            yield "has both columns and measures"
    elif not tile.measures:
        yield "has no measure"
    if tile.kind in ("heat_map", "matrix") and (tile.by is None or tile.series is None):
        yield f"a {tile.kind} needs by and series"
    if tile.kind in ("line", "bar", "stacked_bar") and tile.by is None:
        yield f"a {tile.kind} needs by"
    if tile.sort is not None and tile.sort not in {*tile.used, *(one.id for one in tile.measures)}:
        yield f"cannot be sorted by {tile.sort}"
    for measure in tile.measures:
        yield from (f"measure {measure.id}: {problem}" for problem in _measure_problems(found, view, measure))


def _measure_problems(found: Specification, view: View, measure: Measure) -> Iterator[str]:
    if (measure.over is None) != (measure.aggregation == "sum"):
        yield f"a {measure.aggregation} {'needs' if measure.over is None else 'has no'} over"
    for one in (measure.column, measure.over):
        if one is not None and one in found.columns and found.columns[one].type not in _NUMERIC:
            yield f"{one} is no number"
    if measure.format == "amount" and view.currency == "none":
        yield f"{view.name} has no currency"
