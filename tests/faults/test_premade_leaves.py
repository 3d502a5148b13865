"""A load into leaves that were made ahead: full ones take their place, whatever happens in between."""

from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
from psycopg.types.json import Jsonb

from partitions.grain import Grain
from partitions.leaves import attach
from partitions.policy import facts_and_summary, read_policies
from tests.database import copied_database
from tests.faults.killing import places
from tests.faults.test_interrupted import load_until, name_of
from tests.integration.test_load import assert_summary_agrees
from tests.loading import content, execute, load, rows_of, settings_for, value_of
from tests.managed import feeds_of_months, manage
from warehouse.connection import Connection
from warehouse.errors import TransientTargetError

# The leaves of January to April are made ahead.
TODAY = date(2024, 1, 20)
POINTS = [
    ("engine.publish.build_leaf", "after", 1),
    ("engine.publish.attach", "before", 1),
    ("partitions.leaves._make_room", "after", 1),
    ("partitions.leaves.attach_one", "after", 2),
    ("engine.publish.attach", "after", 1),
    ("engine.publish.attach", "after", 2),
    ("engine.publish.close", "before", 1),
]
EMPTY = "SELECT count(*) FROM pg_inherits WHERE pg_relation_size(inhrelid) = 0 AND inhparent = 'dwh.{}'::regclass"


def managed(url: str, folder: Path) -> list[str]:
    return manage(url, folder, TODAY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return feeds_of_months(tmp_path_factory.mktemp("delivery") / "feeds", 3)


@pytest.fixture(scope="module")
def expected(template_database: tuple[str, str], folder: Path) -> dict[str, str]:
    with copied_database(*template_database) as url:
        load(folder, url)
        return content(url)


@pytest.fixture
def url(database_url: str, tmp_path: Path) -> str:
    managed(database_url, tmp_path)
    return database_url


def test_full_leaves_take_the_place_of_empty_ones(
    url: str, folder: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    assert [value_of(url, EMPTY.format(name)) for name in ("fact_transactions", "fact_daily_client_summary")] == [4, 4]
    planned = load(folder, url, dry_run=True).leaves
    assert [leaf["action"] for leaf in planned] == ["build"] * 3
    assert load(folder, url).leaves == planned
    assert content(url) == expected
    assert [value_of(url, EMPTY.format(name)) for name in ("fact_transactions", "fact_daily_client_summary")] == [1, 1]
    assert not any(line.startswith(("+", "-", "~ vacuum")) for line in managed(url, tmp_path))
    assert managed(url, tmp_path) == []


@pytest.mark.parametrize("point", places(POINTS), ids=name_of)
def test_killed_while_they_change_places(
    url: str, folder: Path, expected: dict[str, str], tmp_path: Path, point: tuple[str, str, int]
) -> None:
    load_until(folder, url, point)
    managed(url, tmp_path)
    load(folder, url)
    assert content(url) == expected
    assert_summary_agrees(url)
    assert rows_of(url, "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace") == []
    managed(url, tmp_path)
    assert managed(url, tmp_path) == []


def test_rows_that_come_between_plan_and_attach_are_merged_with(
    url: str, folder: Path, expected: dict[str, str], template_database: tuple[str, str]
) -> None:
    """Somebody writes to the empty leaf while its successor is built: nothing is thrown away."""
    with copied_database(*template_database) as beside:
        load(folder, beside)
        row = value_of(beside, "SELECT to_jsonb(f) FROM dwh.fact_transactions f WHERE transaction_id = 'T0'")
        columns = value_of(beside, "SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attgenerated = ''"
                                   " AND attnum > 0 AND attrelid = 'dwh.fact_transactions'::regclass")  # fmt: skip
    earlier = {**row, "source_updated_at": "2023-12-01T00:00:00Z", "load_id": 0}

    def late(connection: Connection, units: Any, timezone: str) -> None:
        if units[0][1].first == date(2024, 1, 1):
            with psycopg.connect(url) as other:
                other.execute(
                    f"INSERT INTO dwh.fact_transactions ({columns}) SELECT {columns}"
                    " FROM jsonb_populate_record(NULL::dwh.fact_transactions, %s)",
                    (Jsonb(earlier),),
                )
        attach(connection, units, timezone)

    with mock.patch("engine.publish.attach", late), pytest.raises(TransientTargetError, match="has some now"):
        load(folder, url)
    assert value_of(url, "SELECT count(*) FROM dwh_parts.fact_transactions_2024_01") == 1
    actions = {leaf["leaf"]: leaf["action"] for leaf in load(folder, url).leaves}
    assert actions["fact_transactions_2024_01"] == "merge"
    assert content(url) == expected


def test_an_empty_leaf_that_something_hangs_on_stays(url: str, folder: Path, expected: dict[str, str]) -> None:
    execute(url, "CREATE VIEW public.january AS SELECT * FROM dwh_parts.fact_transactions_2024_01")
    assert [leaf["action"] for leaf in load(folder, url).leaves] == ["merge", "build", "build"]
    assert content(url) == expected
    assert value_of(url, "SELECT count(*) FROM public.january") == 30


def test_leaves_of_other_days_in_the_summary_stay(
    database_url: str, folder: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    """A month of the summary holds several weeks of facts: it cannot go with one of them."""
    path = tmp_path / "policies.toml"
    text = (Path(__file__).parents[2] / "partitions" / "policies.toml").read_text()
    path.write_text(text.replace('grain = "month"', 'grain = "week"', 1))
    policies = facts_and_summary(read_policies(path))
    manage(database_url, tmp_path, TODAY, policies)
    done = load(folder, database_url, settings=settings_for(database_url, partitions=path))
    assert {leaf["action"] for leaf in done.leaves} >= {"merge"}
    assert content(database_url) == expected


def test_a_reader_who_stays_keeps_the_leaf_and_the_load_is_told(
    url: str, folder: Path, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partitions.turns.LOOKING_PATIENCE_SECONDS", 1.0)
    with psycopg.connect(url) as reader:
        assert reader.execute("SELECT count(*) FROM dwh.fact_transactions").fetchone() == (0,)
        with pytest.raises(TransientTargetError):
            load(folder, url)
        assert reader.execute("SELECT count(*) FROM dwh.fact_transactions").fetchone() == (0,)
    assert Grain.MONTH.span_of(TODAY).leaf_of("fact_transactions") in _staged(url)
    load(folder, url)
    assert content(url) == expected


def _staged(url: str) -> list[str]:
    return [name for (name,) in rows_of(url, "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
                                             " AND relkind = 'r' ORDER BY 1")]  # fmt: skip
