"""Measures of the model: the specification's, each in DAX, with the SQL that means the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.statements import measure_sql
from dashboards.tiles import Format, Measure, Specification, Tile, View

MAIN_CURRENCY = "Main currency"
FORMATS: dict[Format, str] = {
    "count": "#,0",
    "amount": "#,0",
    "percent": "0.0%",
    "per_myriad": "#,0.0",
    "milliseconds": '#,0 "ms"',
    "days": "#,0",
    "decimal": "#,0.0",
}


@dataclass(frozen=True)
class ModelMeasure:
    """`sql` is what a group of rows of `view` gives."""

    name: str
    view: str
    dax: str
    sql: str
    format: str
    about: str
    folder: str


def measures_of(specification: Specification) -> dict[tuple[str, str], ModelMeasure]:
    """Measures by tile and id; those that are the same have one name."""
    found: dict[tuple[str, str], ModelMeasure] = {}
    by_meaning: dict[tuple[str, str], ModelMeasure] = {}
    taken: set[str] = {MAIN_CURRENCY}
    for page, tile in specification.tiles:
        for measure in tile.measures:
            dax = _dax(specification, tile, measure)
            meaning = (dax, measure.format)
            if meaning not in by_meaning:
                name = next(one for one in _names(measure, specification.view(tile)) if one not in taken)
                taken.add(name)
                by_meaning[meaning] = ModelMeasure(
                    name, tile.view, dax, measure_sql(measure), FORMATS[measure.format], tile.about.en, page.title.en
                )
            found[tile.id, measure.id] = by_meaning[meaning]
    return found


def main_currency(view: str) -> str:
    """The currency of most transactions, whatever is chosen."""
    # ALLEXCEPT works after the iteration has chosen a currency, and keeps it; ALL with VALUES would bring all back.
    counted = f"CALCULATE(SUM({reference(view, 'transactions')}), ALLEXCEPT('{view}', 'Currency'))"
    column = "'Currency'[currency_code]"
    return f"MAXX(TOPN(1, ALL({column}), {counted}, DESC, {column}, ASC), {column})"


def reference(view: str, column: str) -> str:
    return f"'{view}'[{column}]"


def _names(measure: Measure, view: View) -> Iterator[str]:
    subject = view.name.partition("_")[2].replace("_", " ")
    yield measure.title.en
    yield f"{measure.title.en} ({subject})"
    number = 2
    while True:
        yield f"{measure.title.en} ({subject}, {number})"
        number += 1


def _dax(specification: Specification, tile: Tile, measure: Measure) -> str:
    view = specification.view(tile)
    body = _aggregate(view.name, measure)
    filters = list(_totals(view))
    variables = []
    if tile.newest or view.holds == "snapshot":
        date = reference(view.name, view.date)
        # The newest of the chosen period, whatever else is chosen: as the SQL has it.
        variables.append(f"VAR _newest = CALCULATE(MAX({date}), ALLEXCEPT('{view.name}', 'Date', {date}))")
        filters.append(f"{date} = _newest")
    if view.currency == "transaction":
        variables.append(f"VAR _shown = SELECTEDVALUE('Currency'[currency_code], [{MAIN_CURRENCY}])")
        filters.append("'Currency'[currency_code] = _shown")
    scale = " * 10000" if measure.format == "per_myriad" else ""
    if not filters:
        return body + scale
    return " ".join([*variables, *(["RETURN"] if variables else []), f"CALCULATE({body}, {', '.join(filters)}){scale}"])


def _aggregate(view: str, measure: Measure) -> str:
    column, over = reference(view, measure.column), reference(view, measure.over or measure.column)
    if measure.aggregation == "sum":
        return f"SUM({column})"
    if measure.aggregation == "ratio":
        return f"DIVIDE(SUM({column}), SUM({over}))"
    known = f"FILTER('{view}', NOT ISBLANK({column}))"
    return f"DIVIDE(SUMX({known}, {column} * {over}), SUMX({known}, {over}))"


def _totals(view: View) -> Iterator[str]:
    for column, total in view.totals.items():
        chosen = "ISFILTERED('Service'[service_name])"
        here = reference(view.name, column)
        yield f'FILTER(ALL({here}), IF({chosen}, {here} <> "{total}", {here} = "{total}"))'
