"""The specification of the dashboards, from `dashboards/spec`: every writer of dashboards reads it here."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from dashboards.consistency import problems_of
from dashboards.tiles import Column, Page, Specification, View
from warehouse.errors import ConfigurationError

FOLDER = Path(__file__).with_name("spec")
PAGES = ("kpi", "fraud", "segments", "services")
REMEDY = "correct the file in dashboards/spec; docs/dashboards.md describes its form"

T = TypeVar("T")


@cache
def specification() -> Specification:
    """The specification of this checkout."""
    return read_specification(FOLDER)


def read_specification(folder: Path) -> Specification:
    """The specification in a folder: `columns.toml`, `views.toml`, and a file a page.

    Raises:
        ConfigurationError: a file is missing or is no TOML; a field is unknown, missing or of the wrong type; a column
            or view is not declared; tiles overlap, or two have one id. The message names file, tile and column.
    """
    columns = {
        name: _made(Column, "columns.toml", {"name": name} | entry)
        for name, entry in _document(folder, "columns").items()
    }
    views = {
        name: _made(View, "views.toml", {"name": name} | entry) for name, entry in _document(folder, "views").items()
    }
    found = Specification(columns, views, tuple(_made(Page, f"{one}.toml", _document(folder, one)) for one in PAGES))
    problems = list(problems_of(found))
    if problems:
        raise ConfigurationError(
            f"{len(problems)} thing(s) in dashboards/spec do not fit together: {'; '.join(problems)}", remedy=REMEDY
        )
    return found


def _document(folder: Path, name: str) -> dict[str, Any]:
    file = folder / f"{name}.toml"
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"{file.name} cannot be read: {exc.strerror}", remedy=REMEDY) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{file.name} is not valid TOML: {exc}", remedy=REMEDY) from None


def _made(kind: type[T], file: str, entry: dict[str, Any]) -> T:
    try:
        return TypeAdapter(kind).validate_python(entry)
    except ValidationError as exc:
        problems = "; ".join(f"{_place(entry, e['loc'])}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(f"{file}: {problems}", remedy=REMEDY) from None


def _place(entry: dict[str, Any], path: tuple[int | str, ...]) -> str:
    """Where in a file: tiles by their ids."""
    named = [str(one) for one in path]
    if path[:1] == ("tiles",) and len(path) > 1:
        tile = entry["tiles"][path[1]]
        named[:2] = [f"tile {tile.get('id', path[1]) if isinstance(tile, dict) else path[1]}"]
    return ", ".join([*([str(entry["name"])] if "name" in entry else []), *named])
