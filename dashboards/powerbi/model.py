"""The semantic model in TMDL: a table a view, tables to choose from, a table of days, relationships, measures."""

from collections.abc import Iterator
from typing import Literal

from dashboards.metabase.cards import stable_uuid
from dashboards.powerbi.measures import MAIN_CURRENCY, ModelMeasure, main_currency, measures_of
from dashboards.tiles import FILTER_COLUMNS, Column, FilterName, Specification, View

Mode = Literal["import", "directQuery"]

MEASURES = "Measures"
# Filter -> the table that is chosen from, whose one column has the filter's name.
CHOICES: dict[FilterName, str] = {
    "country": "Country",
    "segment": "Customer segment",
    "service": "Service",
    "currency": "Currency",
}
_SOURCE = "v_activity_by_day"
_TYPES = {
    "date": "dateTime",
    "integer": "int64",
    "amount": "decimal",
    "number": "double",
    "text": "string",
    "flag": "boolean",
}
_DAYS = """\
let
    Source = PostgreSQL.Database(Host, Database),
    Days = Source{[Schema = "dwh", Item = "mv_daily_kpi"]}[Data][full_date],
    First = if List.IsEmpty(Days) then Date.From(DateTime.LocalNow()) else List.Min(Days),
    Last = if List.IsEmpty(Days) then First else List.Max(Days),
    // Days of segmentation may lie after the last transaction.
    End = Date.EndOfYear(Date.AddDays(Last, 31)),
    Start = Date.StartOfYear(First),
    List = List.Dates(Start, Duration.Days(End - Start) + 1, #duration(1, 0, 0, 0)),
    Table = Table.FromList(List, Splitter.SplitByNothing(), type table [Date = date]),
    Year = Table.AddColumn(Table, "Year", each Date.Year([Date]), Int64.Type),
    Month = Table.AddColumn(Year, "Month", each Date.StartOfMonth([Date]), type date),
    Weekday = Table.AddColumn(Month, "Day of the week", each Date.DayOfWeek([Date], Day.Monday) + 1, Int64.Type)
in
    Weekday"""


def model_files(specification: Specification, mode: Mode) -> dict[str, str]:
    """Path below `definition/` -> text."""
    measures = list(dict.fromkeys(measures_of(specification).values()))
    tables = {
        "Date": _date_table(),
        MEASURES: _measure_table(measures),
        **{table: _choice_table(table, FILTER_COLUMNS[name]) for name, table in CHOICES.items() if name != "date"},
        **{name: _view_table(specification, view, mode) for name, view in specification.views.items()},
    }
    references = "".join(f"\nref table {_name(table)}" for table in tables)
    return {
        "database.tmdl": "database Cauri\n\tcompatibilityLevel: 1567\n",
        "model.tmdl": _model(references),
        "expressions.tmdl": _parameter("Host", "localhost") + "\n" + _parameter("Database", "cauri"),
        "relationships.tmdl": "\n".join(_relationships(specification)),
        **{f"tables/{table}.tmdl": text for table, text in tables.items()},
    }


def _model(references: str) -> str:
    return (
        "model Model\n\tculture: en-US\n\tdefaultPowerBIDataSourceVersion: powerBI_V3\n\tsourceQueryCulture: en-US\n"
        "\tdataAccessOptions\n\t\tlegacyRedirects\n\t\treturnErrorValuesAsNull\n"
        "\n\tannotation __PBI_TimeIntelligenceEnabled = 0\n" + references + "\n"
    )


def _parameter(name: str, value: str) -> str:
    meta = '[IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
    return f'expression {name} = "{value}" meta {meta}\n\tlineageTag: {stable_uuid(f"parameter.{name}")}\n'


def _relationships(specification: Specification) -> Iterator[str]:
    for view in specification.views.values():
        ends = [("Date", "Date", view.date)]
        ends += [
            (table, FILTER_COLUMNS[name], FILTER_COLUMNS[name])
            for name, table in CHOICES.items()
            if name in view.filters
        ]
        for table, one, many in ends:
            identity = stable_uuid(f"relationship.{view.name}.{table}")
            source, target = f"{_name(view.name)}.{_name(many)}", f"{_name(table)}.{_name(one)}"
            yield f"relationship {identity}\n\tfromColumn: {source}\n\ttoColumn: {target}\n"


def _view_table(specification: Specification, view: View, mode: Mode) -> str:
    columns = [_column(view.name, specification.columns[name], is_hidden=True) for name in view.columns]
    chosen = ", ".join(f'"{name}"' for name in view.columns)
    query = (
        "let\n    Source = PostgreSQL.Database(Host, Database),\n"
        f'    View = Source{{[Schema = "dwh", Item = "{view.name}"]}}[Data],\n'
        f"    Chosen = Table.SelectColumns(View, {{{chosen}}})\nin\n    Chosen"
    )
    return _table(view.name, columns, _partition(view.name, query, mode), about=f"dwh.{view.name}")


def _choice_table(table: str, column: str) -> str:
    query = (
        "let\n    Source = PostgreSQL.Database(Host, Database),\n"
        f'    View = Source{{[Schema = "dwh", Item = "{_SOURCE}"]}}[Data],\n'
        f'    Values = Table.Distinct(Table.SelectColumns(View, {{"{column}"}}))\nin\n    Values'
    )
    shown = _column(table, Column(column, "text", table, table), is_key=True)
    return _table(table, [shown], _partition(table, query, "import"), about="What can be chosen.")


def _date_table() -> str:
    columns = [
        _column("Date", Column("Date", "date", "Date", "Date"), is_key=True),
        *(_column("Date", Column(name, "integer", name, name)) for name in ("Year", "Day of the week")),
        _column("Date", Column("Month", "date", "Month", "Mois")),
    ]
    head = "\tdataCategory: Time\n"
    return _table("Date", columns, _partition("Date", _DAYS, "import"), about="Days, whole years.", head=head)


def _measure_table(measures: list[ModelMeasure]) -> str:
    texts = [_measure(MAIN_CURRENCY, main_currency(_SOURCE), "isHidden", about="The currency of most transactions.")]
    texts += [_figure(one) for one in measures]
    column = _column(MEASURES, Column("Nothing", "text", "", ""), is_hidden=True)
    query = "let\n    Source = #table(type table [Nothing = text], {})\nin\n    Source"
    return _table(
        MEASURES, [*texts, column], _partition(MEASURES, query, "import"), about="The figures of the dashboards."
    )


def _table(name: str, parts: list[str], partition: str, *, about: str, head: str = "") -> str:
    tag = f"\tlineageTag: {stable_uuid(f'table.{name}')}\n"
    return f"/// {about}\ntable {_name(name)}\n{tag}{head}\n" + "\n".join([*parts, partition])


def _figure(one: ModelMeasure) -> str:
    about = f"{one.about} SQL over dwh.{one.view}: {one.sql}"
    return _measure(one.name, one.dax, f"formatString: {one.format}", f"displayFolder: {one.folder}", about=about)


def _measure(name: str, dax: str, *properties: str, about: str) -> str:
    lines = [f"\t/// {about}", f"\tmeasure {_name(name)} = {dax}", *(f"\t\t{one}" for one in properties)]
    return "\n".join([*lines, f"\t\tlineageTag: {stable_uuid(f'measure.{name}')}", ""])


def _column(table: str, column: Column, *, is_hidden: bool = False, is_key: bool = False) -> str:
    lines = [f"\tcolumn {_name(column.name)}", f"\t\tdataType: {_TYPES[column.type]}"]
    lines += ["\t\tisHidden"] if is_hidden else []
    lines += ["\t\tisKey"] if is_key else []
    lines += ["\t\tformatString: yyyy-mm-dd"] if column.type == "date" else []
    lines += [f"\t\tlineageTag: {stable_uuid(f'column.{table}.{column.name}')}", "\t\tsummarizeBy: none"]
    lines += [f"\t\tsourceColumn: {column.name}"]
    lines += [f"\t\tsortByColumn: {_name(column.order)}"] if column.order else []
    return "\n".join([*lines, ""])


def _partition(table: str, query: str, mode: Mode) -> str:
    body = "\n".join(f"\t\t\t\t{line}" for line in query.splitlines())
    return f"\tpartition {_name(table)} = m\n\t\tmode: {mode}\n\t\tsource =\n{body}\n"


def _name(name: str) -> str:
    """A name in TMDL; quoted where it is no word."""
    return name if name.isidentifier() else "'" + name.replace("'", "''") + "'"
