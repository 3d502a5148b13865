"""`cauri refresh --verify`: the aggregates against a computation of everything."""

from pathlib import Path
from typing import LiteralString

import pytest

from engine.verification import verify
from sample.plan import SamplePlan
from tests.loading import cauri, content, execute, load, sample_folder, value_of
from warehouse.connection import connect

PLAN = SamplePlan(rows=3_000, months=3, dirty_share=0.01, duplicate_share=0.02, update_share=0.05)
FIRST: LiteralString = (
    "(tableoid, ctid) ="
    " (SELECT tableoid, ctid FROM dwh.fact_daily_client_summary ORDER BY date_key, client_key, service_key LIMIT 1)"
)
DAMAGE: dict[str, tuple[LiteralString, dict[str, int]]] = {
    "an amount": (
        "UPDATE dwh.fact_daily_client_summary SET amount_minor = amount_minor + 1 WHERE " + FIRST,
        {"missing": 0, "surplus": 0, "unequal": 1},
    ),
    "a cell less": (
        "DELETE FROM dwh.fact_daily_client_summary WHERE " + FIRST,
        {"missing": 1, "surplus": 0, "unequal": 0},
    ),
    "a cell more": (
        "INSERT INTO dwh.fact_daily_client_summary"
        " SELECT (jsonb_populate_record(f, jsonb_build_object('client_key', 999999))).*"
        " FROM dwh.fact_daily_client_summary f LIMIT 1",
        {"missing": 0, "surplus": 1, "unequal": 0},
    ),
}


@pytest.fixture
def url(database_url: str) -> str:
    load(sample_folder(PLAN), database_url)
    return database_url


def test_what_a_load_made_is_what_its_facts_give(url: str, tmp_path: Path) -> None:
    done = cauri("refresh", "--verify", "--json", url=url, home=tmp_path)
    assert done.code == 0, done.told
    cells = value_of(url, "SELECT count(*) FROM dwh.fact_daily_client_summary")
    views = value_of(url, "SELECT count(*) FROM pg_matviews WHERE schemaname = 'dwh'")
    verified = done.json["verified"]
    assert (verified["cells"], verified["differing"], verified["days"], verified["mended"]) == (cells, 0, [], False)
    assert len(verified["views"]) == views
    assert set(verified["views"].values()) == {0}
    assert set(verified["tables"].values()) == {0}
    told = cauri("refresh", "--verify", url=url, home=tmp_path).out
    assert f"{cells:,} cells, {len(verified['tables'])} tables of dashboards and {views} view(s)" in " ".join(
        told.split()
    )


@pytest.mark.parametrize("name", DAMAGE)
def test_every_kind_of_difference_is_found_and_mended(url: str, tmp_path: Path, name: str) -> None:
    before = content(url)
    statement, expected = DAMAGE[name]
    execute(url, statement)
    found = cauri("refresh", "--verify", "--json", url=url, home=tmp_path)
    assert found.code == 1, found.told
    (day,) = found.json["verified"]["days"]
    assert {how: day[how] for how in expected} == expected
    told = cauri("refresh", "--verify", url=url, home=tmp_path)
    assert "1 cells differ" in told.out
    assert "Next: cauri refresh --verify --mend" in told.out
    mended = cauri("refresh", "--verify", "--mend", url=url, home=tmp_path)
    assert mended.code == 0, mended.told
    assert "Mended" in mended.out
    assert cauri("refresh", "--verify", url=url, home=tmp_path).code == 0
    assert content(url) == before


def test_totals_that_did_not_follow_their_cells_are_found(url: str) -> None:
    execute(url, "UPDATE dwh.fact_daily_client_summary SET successes = successes + 1")
    with connect(url) as connection:
        verified = verify(connection, url)
    assert verified.totals > 0
    assert set(verified.differing["how"]) == {"unequal"}


def test_a_view_that_was_not_refreshed_is_found(url: str) -> None:
    execute(url, "UPDATE ops.day_total SET successes = successes + 1")
    with connect(url) as connection:
        verified = verify(connection, url)
    assert verified.views["mv_daily_kpi"] > 0
    assert verified.differing.is_empty()


def test_an_empty_warehouse_is_what_it_should_be(database_url: str, tmp_path: Path) -> None:
    done = cauri("refresh", "--verify", url=database_url, home=tmp_path)
    assert done.code == 0, done.told
    assert "Verified: 0 cells" in done.out


def test_there_is_nothing_to_mend_without_a_look(database_url: str, tmp_path: Path) -> None:
    done = cauri("refresh", "--mend", url=database_url, home=tmp_path)
    assert done.code == 2
    assert "--verify" in done.err
