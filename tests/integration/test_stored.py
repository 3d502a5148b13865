"""Leaves are asked for the ids only that they may hold; the answer is that of all leaves asked for all ids."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import psycopg
import pytest
from psycopg import sql

from engine.stored import IDS_PER_PART, PARTS_PER_BLOCK, stored_versions
from partitions.grain import Grain, date_key
from partitions.leaves import create_attached
from partitions.policy import facts_and_summary, policies_of
from tests.loading import rows_of, settings_for
from warehouse.connection import connect
from warehouse.queries import query

DAYS = [date(2024, month, 1) + timedelta(days=number) for month in (1, 2, 3) for number in range(20)]
# Leaves of January to March; April's stays empty.
MONTHS = [date(2024, month, 1) for month in (1, 2, 3, 4)]
ROWS = 3 * IDS_PER_PART * PARTS_PER_BLOCK

SHAPES: dict[str, Callable[[random.Random, date, int], str]] = {
    "in the order of days": lambda dice, day, number: f"TX-{day:%y%m%d}-{number:07d}",
    "random": lambda dice, day, number: f"{dice.randrange(16**12):012x}",
    "one leaf within another": lambda dice, day, number: f"{'b' if day.month == 2 else dice.choice('ac')}{number}",
    "begins of each other": lambda dice, day, number: "é" * (number % 7) + "Z" * (number // 7 % 60) + f"{number:x}",
}


@pytest.fixture
def leaves(database_url: str) -> str:
    facts, _ = facts_and_summary(policies_of(settings_for(database_url)))
    with connect(database_url) as connection:
        for month in MONTHS:
            create_attached(connection, facts, Grain.MONTH.span_of(month), "UTC")
    return database_url


def store(url: str, ids: list[str], days: list[date]) -> None:
    statement = """
        INSERT INTO dwh.fact_transactions
        SELECT now(), now(), 1, 0, day, 0, 0, 0, NULL, 0, 1, 0, 0, 0, 1, 1, id
        FROM unnest(%s::text[], %s::integer[]) AS u(id, day)
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, (ids, [date_key(day) for day in days]))


def found(url: str, ids: list[str]) -> list[tuple[str, int]]:
    with connect(url) as connection:
        return sorted(stored_versions(connection, url, pl.Series(ids)).select("transaction_id", "date_key").rows())


def found_in_all(url: str, ids: list[str]) -> list[tuple[str, int]]:
    statement = "SELECT transaction_id, date_key FROM dwh.fact_transactions WHERE transaction_id = ANY (%s)"
    return sorted(rows_of(url, statement, ids))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.9], ids=["all new", "a few known", "nearly all known"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_as_asking_every_leaf_for_every_id(leaves: str, shape: str, share: float) -> None:
    dice = random.Random(f"{shape} {share}")
    days = [dice.choice(DAYS) for _ in range(2 * ROWS)]
    ids = list(dict.fromkeys(SHAPES[shape](dice, day, number) for number, day in enumerate(days)))
    dice.shuffle(order := list(range(len(ids))))
    known, new = order[:ROWS], order[ROWS:]
    store(leaves, [ids[place] for place in known], [days[place] for place in known])
    offered = [ids[place] for place in dice.sample(known, int(ROWS * share)) + new]
    assert len(offered) > IDS_PER_PART * PARTS_PER_BLOCK
    assert found(leaves, offered) == found_in_all(leaves, offered)
    assert len(found(leaves, offered)) == int(ROWS * share)


@pytest.mark.parametrize("place", [0, IDS_PER_PART - 1, -1], ids=["first of a part", "last of a part", "last of all"])
def test_the_ends_of_parts_belong_to_them(leaves: str, place: int) -> None:
    ids = [f"T{number:06d}" for number in range(2 * IDS_PER_PART * PARTS_PER_BLOCK + 7)]
    known = ids[place::IDS_PER_PART] if place >= 0 else ids[-1:]
    store(leaves, known, [DAYS[number % len(DAYS)] for number in range(len(known))])
    assert found(leaves, ids) == found_in_all(leaves, ids)
    assert [name for name, _ in found(leaves, ids)] == known


def test_an_id_in_two_leaves_is_found_twice(leaves: str) -> None:
    store(leaves, ["T1", "T1"], [date(2024, 1, 3), date(2024, 3, 3)])
    assert found(leaves, ["T0", "T1", "T2"]) == [("T1", 20240103), ("T1", 20240303)]


def test_nothing_is_found_of_nothing(leaves: str) -> None:
    assert found(leaves, ["T1"]) == []


def test_a_leaf_is_looked_into_by_its_index(leaves: str) -> None:
    """A part that has none of a leaf's ids would otherwise cost a scan of it."""
    leaf = sql.Identifier("dwh_parts", "fact_transactions_2024_01")
    store(leaves, [f"T{number}" for number in range(5_000)], [date(2024, 1, 3)] * 5_000)
    with connect(leaves) as connection:
        connection.execute("CREATE TEMPORARY TABLE incoming (transaction_id text, part bigint)")
        connection.execute("CREATE TEMPORARY TABLE id_part (part bigint, block bigint, lowest text, highest text)")
        connection.execute("CREATE TEMPORARY TABLE id_block (block bigint, lowest text, highest text)")
        connection.execute(query("merge/stage_meeting"))
        text = query("merge/meet").replace("$1", "0")
        statement = sql.SQL("EXPLAIN ") + sql.SQL(text).format(leaf=leaf)
        plan = "\n".join(line for (line,) in connection.execute(statement).fetchall())
    assert "Seq Scan on fact_transactions_2024_01" not in plan
    assert plan.count("using fact_transactions_2024_01_transaction_id") == 2, plan


@pytest.mark.parametrize(
    ("name", "staged"),
    [("merge/delete_replaced", "merge/stage_replaced"), ("merge/totals", "merge/stage")],
)
def test_a_merge_opens_the_leaves_of_its_days(leaves: str, name: str, staged: str) -> None:
    with connect(leaves) as connection, connection.transaction():
        connection.execute(query(staged))
        rows = connection.execute("EXPLAIN " + query(name), {"days": [20240203, 20240204]}).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert [f"{month:%Y_%m}" for month in MONTHS if f"fact_transactions_{month:%Y_%m}" in plan] == ["2024_02"]


@pytest.mark.parametrize("name", ["aggregates/delete_dirty_cells", "aggregates/insert_dirty_cells"])
def test_recomputing_opens_the_leaves_of_its_days(leaves: str, name: str) -> None:
    _, summary = facts_and_summary(policies_of(settings_for(leaves)))
    with connect(leaves) as connection:
        for month in MONTHS:
            create_attached(connection, summary, Grain.MONTH.span_of(month), "UTC")
        with connection.transaction():
            connection.execute(query("aggregates/stage_changed_cells"))
            rows = connection.execute("EXPLAIN " + query(name), {"days": [20240203, 20240204]}).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert [f"{month:%Y_%m}" for month in MONTHS if f"_{month:%Y_%m}" in plan] == ["2024_02"]
