"""The dashboards that are committed as files are those of the specification, and refer to what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.generate import FOLDERS, HERE, generated
from dashboards.powerbi.measures import MAIN_CURRENCY, main_currency, measures_of
from dashboards.powerbi.model import MEASURES, model_files
from dashboards.powerbi.project import PROJECTS
from dashboards.powerbi.report import report_files
from dashboards.specification import specification

SPECIFICATION = specification()
MODEL = model_files(SPECIFICATION, "import")
DAX = {one.name: one.dax for one in measures_of(SPECIFICATION).values()} | {
    MAIN_CURRENCY: main_currency("v_activity_by_day")
}


def tables() -> dict[str, set[str]]:
    """Table -> its columns and measures, read from the TMDL."""
    found = {}
    for path, text in MODEL.items():
        if path.startswith("tables/"):
            names = re.findall(r"^\t(?:column|measure) (?:'((?:[^']|'')+)'|(\w+))", text, re.MULTILINE)
            found[path.removeprefix("tables/").removesuffix(".tmdl")] = {a or b for a, b in names}
    return found


def fields(document: Any) -> Iterator[tuple[str, str]]:
    """What a visual reads: table and column or measure."""
    if isinstance(document, dict):
        for kind in ("Column", "Measure"):
            one = document.get(kind)
            if isinstance(one, dict) and "Entity" in one["Expression"]["SourceRef"]:
                yield one["Expression"]["SourceRef"]["Entity"], one["Property"]
        for inner in document.values():
            yield from fields(inner)
    if isinstance(document, list):
        for inner in document:
            yield from fields(inner)


def test_the_files_are_those_of_the_specification() -> None:
    wanted = generated()
    there = {path.relative_to(HERE) for folder in FOLDERS for path in (HERE / folder).rglob("*") if path.is_file()}
    assert there == set(wanted), "`just dashboards` writes them"
    assert [str(path) for path, text in wanted.items() if (HERE / path).read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("name", DAX)
def test_dax_refers_to_the_model(name: str) -> None:
    known = tables()
    for table, column in re.findall(r"'([^']+)'\[(\w+)\]", DAX[name]):
        assert column in known[table], DAX[name]
    bare = re.findall(r"(?<!')\[([^\]]+)\]", DAX[name])
    assert set(bare) <= known[MEASURES]
    assert DAX[name].count("(") == DAX[name].count(")")


def test_visuals_refer_to_the_model() -> None:
    known = tables()
    found = [one for document in report_files(SPECIFICATION).values() for one in fields(document)]
    assert found
    assert [one for one in found if one[1] not in known[one[0]]] == []


def test_each_tile_has_a_visual() -> None:
    files = report_files(SPECIFICATION)
    for page in SPECIFICATION.pages:
        visuals = [one for path, one in files.items() if path.startswith(f"pages/{page.id}/visuals/")]
        titles = [one["visual"]["visualContainerObjects"]["title"][0]["properties"]["text"] for one in visuals]
        shown = [
            json.loads(json.dumps(one))["expr"]["Literal"]["Value"].strip("'").replace("''", "'") for one in titles
        ]
        assert {tile.title.en for tile in page.tiles} <= set(shown)


def test_relationships_join_what_there_is() -> None:
    known = tables()
    ends = re.findall(r"(?:from|to)Column: (?:'([^']+)'|(\w+))\.(\w+)", MODEL["relationships.tmdl"])
    assert len(ends) >= 2 * len(SPECIFICATION.views)
    assert [one for one in ends if one[2] not in known[one[0] or one[1]]] == []


def test_one_project_imports_and_one_asks() -> None:
    for name, mode in PROJECTS.items():
        folder = Path(HERE) / "powerbi" / "files" / f"{name}.SemanticModel" / "definition" / "tables"
        for view in SPECIFICATION.views:
            text = (folder / f"{view}.tmdl").read_text(encoding="utf-8")
            assert f"\t\tmode: {mode}\n" in text
            assert "PostgreSQL.Database(Host, Database)" in text


def test_every_measure_says_its_sql() -> None:
    for one in measures_of(SPECIFICATION).values():
        assert f"SQL over dwh.{one.view}: {one.sql}\n" in MODEL["tables/Measures.tmdl"]
