"""Metabase is brought to the specification, once however often; what it is told refers to what it has."""

import io
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest import mock

import pytest

from dashboards.metabase.__main__ import main
from dashboards.metabase.pages import dashboards_of
from dashboards.metabase.provision import connection_details
from dashboards.metabase.representations import representations
from dashboards.specification import specification
from tests.metabase import ADMINISTRATOR, State, metabase
from warehouse.errors import ConfigurationError

READER = "postgresql://analyst:s%40cret@postgres:5432/cauri"
DASHBOARDS = dashboards_of(specification(), "en")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def setup(url: str, **changes: str) -> Done:
    """What the service `metabase-setup` runs."""
    variables = {
        "METABASE_URL": url,
        "METABASE_EMAIL": ADMINISTRATOR["email"],
        "METABASE_PASSWORD": ADMINISTRATOR["password"],
        "CAURI_DATABASE_URL": READER,
        **changes,
    }
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.dict(os.environ, variables, clear=True), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as exc:
            code = int(exc.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def test_the_first_start_makes_everything_and_the_second_nothing() -> None:
    with metabase() as (url, state):
        first = setup(url)
        assert (first.returncode, first.stderr) == (0, "")
        assert first.stdout == f"Metabase has 4 dashboards with {count_of_cards()} cards.\n"
        made = {kind: dict(things) for kind, things in state.kept.items()}
        assert [len(made[kind]) for kind in ("database", "collection", "card", "dashboard")] == [
            1,
            5,
            count_of_cards(),
            4,
        ]
        before = [one["id"] for board in state.kept["dashboard"].values() for one in board["dashcards"]]
        state.calls.clear()
        assert setup(url).returncode == 0
        assert {method for method, path in state.calls if path != "session"} == {"GET", "PUT"}
        assert {kind: set(things) for kind, things in state.kept.items()} == {
            kind: set(one) for kind, one in made.items()
        }
        assert [one["id"] for board in state.kept["dashboard"].values() for one in board["dashcards"]] == before


def count_of_cards() -> int:
    return sum(len(one.placed) for one in DASHBOARDS)


def test_what_was_changed_by_hand_is_put_right() -> None:
    with metabase() as (url, state):
        setup(url)
        (number, card), *_ = state.kept["card"].items()
        query = card["dataset_query"]
        state.kept["card"][number]["dataset_query"] = {"type": "native", "native": {"query": "SELECT 1"}}
        setup(url)
        assert state.kept["card"][number]["dataset_query"] == query


def test_references_lead_somewhere() -> None:
    with metabase() as (url, state):
        setup(url)
        check_references(state)


def check_references(state: State) -> None:
    (database,) = state.kept["database"]
    for card in state.kept["card"].values():
        assert card["dataset_query"]["database"] == database
        assert card["collection_id"] in state.kept["collection"]
        native = card["dataset_query"]["native"]
        assert set(re.findall(r"\{\{(\w+)\}\}", native["query"])) == set(native["template-tags"])
    for board in state.kept["dashboard"].values():
        filters = {one["id"] for one in board["parameters"]}
        for place in board["dashcards"]:
            card = state.kept["card"][place["card_id"]]
            for mapping in place["parameter_mappings"]:
                assert mapping["parameter_id"] in filters
                assert mapping["target"][1][1] in card["dataset_query"]["native"]["template-tags"]


def test_a_wrong_password_is_told_without_it() -> None:
    with metabase() as (url, state):
        state.is_set_up = True
        done = setup(url, METABASE_PASSWORD="Wrong-password-1")
    assert done.returncode == ConfigurationError.exit_code
    assert "METABASE_PASSWORD" in done.stderr
    assert "Wrong-password-1" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("METABASE_EMAIL", ""), ("METABASE_LANGUAGE", "de"), ("CAURI_DATABASE_URL", "postgresql:///x")],
)
def test_what_is_missing_is_named(variable: str, value: str) -> None:
    with metabase() as (url, _):
        done = setup(url, **{variable: value})
    assert done.returncode == ConfigurationError.exit_code
    assert variable in done.stderr


def test_a_metabase_that_is_away_is_tried_again_later() -> None:
    assert setup("http://127.0.0.1:9").returncode == 75


def test_the_reader_is_who_metabase_is() -> None:
    details = connection_details(READER)
    assert (details["user"], details["password"], details["port"]) == ("analyst", "s@cret", 5432)
    assert details["schema-filters-patterns"] == "dwh"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_cards_of_a_page_have_different_names(language: str) -> None:
    for board in dashboards_of(specification(), "fr" if language == "fr" else "en"):
        names = [one.card.name for one in board.placed]
        assert len(set(names)) == len(names)
        for one in board.placed:
            assert len(set(one.card.statement.labels)) == len(one.card.statement.labels), one.card.key


def test_identities_are_metabases() -> None:
    found = [document["entity_id"] for document in representations(specification()).values()]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{21}", one) for one in found)
