"""The named queries: each has a sentence, each is used, none is asked for that does not exist."""

import re
from pathlib import Path

import pytest

from warehouse.queries import query, query_names

REPOSITORY = Path(__file__).parents[2]
FLOORS = ("warehouse", "partitions", "engine", "ml", "dashboards", "operations", "cli")
SOURCES = [path.read_text(encoding="utf-8") for floor in FLOORS for path in (REPOSITORY / floor).rglob("*.py")]


@pytest.mark.parametrize("name", query_names())
def test_a_query_begins_with_a_sentence(name: str) -> None:
    first = query(name).splitlines()[0]
    assert re.fullmatch(r"-- [A-Z].*[.?]", first) or query(name).splitlines()[1].startswith("-- "), first


@pytest.mark.parametrize("name", query_names())
def test_a_query_is_one_statement(name: str) -> None:
    body = "\n".join(line.partition("--")[0] for line in query(name).splitlines())
    assert ";" not in body.strip().rstrip(";")


@pytest.mark.parametrize("name", query_names())
def test_a_query_is_used(name: str) -> None:
    assert any(f'"{name}"' in source for source in SOURCES)


def test_queries_that_are_asked_for_exist() -> None:
    asked = {name for source in SOURCES for name in re.findall(r'query\("([\w/]+)"\)', source)}
    assert asked <= set(query_names())


def test_an_unknown_query() -> None:
    with pytest.raises(FileNotFoundError):
        query("no/such")
