"""Load and manager side by side: what the one makes the other knows, and neither is in the other's way."""

import re
from datetime import date
from pathlib import Path
from unittest import mock

import pytest

from partitions.catalog import read_catalog
from partitions.grain import Grain
from partitions.leaves import attach, create_attached
from partitions.policy import Policy, facts_and_summary, read_policies
from tests.database import copied_database
from tests.faults.killing import Killed, dying
from tests.loading import content, load, rows_of, settings_for, value_of
from tests.managed import feeds_of_months, manage
from warehouse.connection import connect

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2024, 5, 15)


def run(url: str, policies: tuple[Policy, ...], folder: Path) -> list[str]:
    return manage(url, folder / "archive", TODAY, policies)


def feeds(folder: Path) -> Path:
    return feeds_of_months(folder, 4)


@pytest.fixture(scope="module")
def expected(template_database: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a load alone makes of the feeds."""
    with copied_database(*template_database) as url:
        load(feeds(tmp_path_factory.mktemp("feeds") / "feeds"), url)
        return content(url)


def with_grains(folder: Path, facts: str, summary: str) -> Path:
    text = (ROOT / "partitions" / "policies.toml").read_text()
    for grain in (facts, summary):
        text = text.replace('grain = "month"', f'grain = "{grain}!"', 1)
    path = folder / "policies.toml"
    path.write_text(text.replace("!", ""))
    return path


@pytest.mark.parametrize("grains", [("month", "month"), ("week", "month"), ("month", "week"), ("day", "quarter")])
def test_a_load_after_apply_gives_the_same_and_leaves_nothing_to_do(
    database_url: str, tmp_path: Path, expected: dict[str, str], grains: tuple[str, str]
) -> None:
    path = with_grains(tmp_path, *grains)
    policies = read_policies(path)
    run(database_url, policies, tmp_path)
    load(feeds(tmp_path / "feeds"), database_url, settings=settings_for(database_url, partitions=path))
    assert content(database_url) == expected
    run(database_url, policies, tmp_path)
    assert run(database_url, policies, tmp_path) == []
    assert content(database_url) == expected


@pytest.mark.parametrize("lacking", [0, 1])
def test_rows_for_days_that_only_one_of_the_tables_has_a_leaf_for(
    database_url: str, tmp_path: Path, expected: dict[str, str], lacking: int
) -> None:
    path = with_grains(tmp_path, "week", "month")
    policies = facts_and_summary(read_policies(path))
    with connect(database_url) as connection:
        for month in (2, 3):
            create_attached(connection, policies[1 - lacking], Grain.MONTH.span_of(date(2024, month, 1)), "UTC")
    load(feeds(tmp_path / "feeds"), database_url, settings=settings_for(database_url, partitions=path))
    assert content(database_url) == expected


def test_what_an_interrupted_load_has_built_is_left_for_it(
    database_url: str, tmp_path: Path, expected: dict[str, str]
) -> None:
    folder = feeds(tmp_path / "feeds")
    with mock.patch("engine.publish.attach", dying(attach, "before", 2)), pytest.raises(Killed):
        load(folder, database_url)
    staged = "SELECT count(*) FROM pg_class WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r'"
    waiting = value_of(database_url, staged)
    assert waiting >= 2
    policies = read_policies()
    run(database_url, policies, tmp_path)
    assert value_of(database_url, staged) == waiting
    with connect(database_url) as connection:
        table = read_catalog(connection, policies, "UTC").tables["dwh.fact_transactions"]
    assert all(leaf.awaited for leaf in table.staged)
    load(folder, database_url)
    assert content(database_url) == expected
    run(database_url, policies, tmp_path)
    assert run(database_url, policies, tmp_path) == []


def test_nobody_else_makes_or_attaches_a_leaf() -> None:
    """All DDL of leaves stands in partitions/; the one migration that made leaves ran before there was a manager."""
    forbidden = re.compile(r"(ATTACH|DETACH) PARTITION|PARTITION OF\b|create_aside\(.*sql|_parts\.%I", re.IGNORECASE)
    files = [path for floor in ("cli", "ml", "engine", "warehouse", "sample") for path in (ROOT / floor).rglob("*.py")]
    files += [path for path in (ROOT / "schema").rglob("*.sql") if path.name != "0006_partitions.sql"]
    assert [path.name for path in files if forbidden.search(path.read_text(encoding="utf-8"))] == []
    assert len(files) > 100


def test_steps_of_the_manager_stand_in_the_ledger(database_url: str, tmp_path: Path) -> None:
    lines = run(database_url, read_policies(), tmp_path)
    assert [line for (line,) in rows_of(database_url, "SELECT line FROM ops.partition_step ORDER BY 1")] == sorted(
        lines
    )
