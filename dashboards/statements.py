"""SQL of the tiles, for dashboards that ask the database. Names are the specification's, which is checked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dashboards.tiles import Column, FilterName, Measure, Specification, Tile

Language = Literal["en", "fr"]

# Variables of a statement; {{name}} stands for a value, and what is in [[ ]] counts only where a value was chosen.
VARIABLES = ("since", "until", "country", "segment", "service", "currency")
# Days: longer periods are drawn by week, then by month. A chart has a hundred points at most.
_WEEKS_FROM, _MONTHS_FROM = 92, 550
# Amounts of different currencies are never added: where none is chosen, that of most transactions.
_MAIN_CURRENCY = (
    "(SELECT currency_code FROM dwh.mv_daily_kpi"
    " GROUP BY currency_code ORDER BY sum(transactions) DESC, currency_code LIMIT 1)"
)


@dataclass(frozen=True)
class Statement:
    """`text` in SQL with variables; `variables` are those that it has; `labels` name its columns, in their order."""

    text: str
    variables: tuple[str, ...]
    labels: tuple[str, ...]


def statement_of(specification: Specification, tile: Tile, language: Language = "en") -> Statement:
    """The statement of a tile."""
    writer = _Writer(specification, tile, language)
    text = writer.text()
    return Statement(text, tuple(one for one in VARIABLES if f"{{{{{one}}}}}" in text), tuple(writer.labels()))


def measure_sql(measure: Measure) -> str:
    """A measure of a group of rows."""
    above, below = parts_of(measure)
    return f"{above}::numeric / nullif({below}, 0)" if below else above


def parts_of(measure: Measure) -> tuple[str, str | None]:
    """The sum that a measure is, or the two sums whose quotient it is."""
    column, over = quoted(measure.column), quoted(measure.over or measure.column)
    match measure.aggregation:
        case "sum":
            return f"sum({column})", None
        case "ratio":
            return f"sum({column})", f"sum({over})"
        case "mean":
            return f"sum({column} * {over})", f"sum({over}) FILTER (WHERE {column} IS NOT NULL)"


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def label_of(column: Column, language: Language) -> str:
    return column.fr if language == "fr" else column.en


@dataclass(frozen=True)
class _Writer:
    specification: Specification
    tile: Tile
    language: Language

    def text(self) -> str:
        shown = ", ".join(
            f"{formula} AS {quoted(label)}" for formula, label in zip(self._formulas(), self.labels(), strict=True)
        )
        groups = self._groups()
        parts = [f"WITH shown AS (\n    {self._shown()}\n)\nSELECT {shown}\nFROM shown"]
        if groups and not self.tile.columns:
            parts.append(f"GROUP BY {', '.join(dict.fromkeys([*groups, *self._orders(groups)]))}")
        order = self._order(groups)
        parts += [f"ORDER BY {order}"] if order else []
        parts += [f"LIMIT {self.tile.limit}"] if self.tile.limit else []
        return "\n".join(parts)

    def _shown(self) -> str:
        """The rows that a tile is made of; those of a tile over time added up by day, before days become periods."""
        where = "".join(f"\n      {one}" for one in self._conditions())
        source = f"FROM {self._source}\n    WHERE true{where}"
        if not self._is_over_time:
            return f"SELECT {', '.join(map(quoted, self._read()))}\n    {source}"
        axes = ", ".join(map(quoted, dict.fromkeys([*map(self._in_language, self._axes()), *self._sorting_columns()])))
        sums = ", ".join(f"{formula} AS {quoted(name)}" for name, formula in self._parts())
        return f"SELECT {axes}, {sums}\n    {source}\n    GROUP BY {axes}"

    @property
    def _is_over_time(self) -> bool:
        view = self.specification.view(self.tile)
        return view.holds == "day" and view.date in self._axes()

    def _parts(self) -> Iterator[tuple[str, str]]:
        for measure in self.tile.measures:
            above, below = parts_of(measure)
            yield measure.id, above
            if below:
                yield f"{measure.id}_over", below

    def labels(self) -> list[str]:
        """Names of what is shown: axes, then measures."""
        names = [label_of(self._column(name), self.language) for name in self.tile.columns or self._axes()]
        return names + [self._text(measure) for measure in self.tile.measures]

    def _text(self, measure: Measure) -> str:
        return measure.title.fr if self.language == "fr" else measure.title.en

    def _column(self, name: str) -> Column:
        return self.specification.columns[name]

    def _in_language(self, name: str) -> str:
        """The column that has the same in the language."""
        return (self._column(name).in_french or name) if self.language == "fr" else name

    def _axes(self) -> list[str]:
        return [name for name in (self.tile.by, self.tile.series) if name]

    def _read(self) -> list[str]:
        names = [*self.tile.columns, *self._axes()]
        names += [one for measure in self.tile.measures for one in (measure.column, measure.over) if one]
        names += [order for name in names if (order := self._column(name).order)]
        sort = [self.tile.sort] if self.tile.columns and self.tile.sort else []
        return list(dict.fromkeys(self._in_language(name) for name in [*names, *sort]))

    def _formulas(self) -> list[str]:
        if self.tile.columns:
            return [quoted(self._in_language(name)) for name in self.tile.columns]
        return [*self._groups(), *map(self._total, self.tile.measures)]

    def _total(self, measure: Measure) -> str:
        if not self._is_over_time:
            return measure_sql(measure)
        above, below = f"sum({quoted(measure.id)})", f"sum({quoted(f'{measure.id}_over')})"
        return above if measure.aggregation == "sum" else f"{above}::numeric / nullif({below}, 0)"

    def _sorting_columns(self) -> list[str]:
        return [order for name in self._axes() if (order := self._column(name).order)]

    def _groups(self) -> list[str]:
        return [self._axis(name) for name in self._axes()]

    def _axis(self, name: str) -> str:
        view = self.specification.view(self.tile)
        column = quoted(self._in_language(name))
        if name != view.date or not self._is_over_time:
            return column
        grain = (
            f"SELECT CASE WHEN max({column}) - min({column}) >= {_MONTHS_FROM} THEN 'month'"
            f" WHEN max({column}) - min({column}) >= {_WEEKS_FROM} THEN 'week' ELSE 'day' END FROM shown"
        )
        return f"date_trunc(({grain}), {column})::date"

    def _orders(self, groups: list[str]) -> list[str]:
        """What sorts the axes: itself, or the column that the specification names for it."""
        axes = zip(self._axes(), groups, strict=True)
        return [quoted(order) if (order := self._column(name).order) else group for name, group in axes]

    def _order(self, groups: list[str]) -> str:
        if self.tile.columns:
            return quoted(self.tile.sort) if self.tile.sort else ""
        chosen = [measure for measure in self.tile.measures if measure.id == self.tile.sort]
        by_measure = [f"{self._total(measure)} DESC NULLS LAST" for measure in chosen]
        return ", ".join([*by_measure, *self._orders(groups)])

    def _conditions(self) -> Iterator[str]:
        filters = self.specification.filters(self.tile)
        for name, column in filters.items():
            yield from self._date(column) if name == "date" else self._equal(name, column)

    @property
    def _source(self) -> str:
        view = self.specification.view(self.tile)
        return f"dwh.{quoted(view.rollup.view if view.rollup else view.name)}"

    @property
    def _totals(self) -> Mapping[str, str]:
        view = self.specification.view(self.tile)
        return view.rollup.totals if view.rollup else view.totals

    def _date(self, column: str) -> Iterable[str]:
        view = self.specification.view(self.tile)
        chosen = [f"[[AND {quoted(column)} >= {{{{since}}}}]]", f"[[AND {quoted(column)} <= {{{{until}}}}]]"]
        if view.holds == "snapshot" or self.tile.newest:
            newest = f"SELECT max({quoted(column)}) FROM {self._source} WHERE true {' '.join(chosen)}"
            return [f"AND {quoted(column)} = ({newest})"]
        return chosen

    def _equal(self, name: FilterName, column: str) -> Iterable[str]:
        total = self._totals.get(column)
        if total is not None and column in self._axes():
            return [f"AND {quoted(column)} <> '{total}'", f"[[AND {quoted(column)} = {{{{{name}}}}}]]"]
        if total is not None:
            return [f"AND {quoted(column)} = coalesce([[{{{{{name}}}}},]] '{total}')"]
        if name == "currency":
            # Counts, too: all figures of a page are of the same transactions.
            return [f"AND {quoted(column)} = coalesce([[{{{{currency}}}},]] {_MAIN_CURRENCY})"]
        return [f"[[AND {quoted(column)} = {{{{{name}}}}}]]"]
