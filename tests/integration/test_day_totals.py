"""Key figures follow the cells that changed, and are what a computation of everything would give."""

import random
from pathlib import Path

import pytest

from engine.aggregates import refresh_views
from tests.integration.test_load import assert_summary_agrees
from tests.integration.test_merge import offer
from tests.loading import Row, cauri, client, execute, rows_of, transaction
from warehouse.connection import connect

LATER = "2024-03-01T00:00:00Z"


def figures(url: str) -> list[Row]:
    return rows_of(url, "SELECT full_date::text, currency_code, transactions, active_clients FROM dwh.mv_daily_kpi")


@pytest.mark.parametrize("seed", range(4))
def test_any_deliveries_give_the_figures_of_all_facts(database_url: str, tmp_path: Path, seed: int) -> None:
    """New rows, corrections that move to another day, client or currency, and changes of clients, in any order."""
    dice = random.Random(seed)
    for number in range(6):
        rows = [
            transaction(
                dice.randrange(60),
                transaction_ts=f"2024-0{dice.randint(1, 2)}-0{dice.randint(1, 4)}T10:00:00Z",
                client_id=f"C{dice.randint(1, 4)}",
                currency=dice.choice(["XOF", "KES"]),
                status=dice.choice(["SUCCESS", "FAILED"]),
                processing_ms=dice.choice(["", "40"]),
                updated_at=f"2024-03-{number + 1:02d}T00:00:{place:02d}Z",
            )
            for place in range(dice.randint(1, 20))
        ]
        segment = dice.choice(["RETAIL", "CORPORATE"])
        changed = client(
            f"C{dice.randint(1, 4)}", f"2024-01-{dice.randint(1, 31):02d}T00:00:00Z", customer_segment=segment
        )
        offer(database_url, tmp_path / str(number), rows, clients=[changed])
        assert_summary_agrees(database_url)


def test_a_client_with_other_cells_on_a_day_is_no_new_one(database_url: str, tmp_path: Path) -> None:
    """The second version of the client, or another status of it, is still the same client."""
    versions = [client("C1", "2024-01-01T00:00:00Z"), client("C1", "2024-01-15T12:00:00Z", risk_level="HIGH")]
    offer(database_url, tmp_path / "1", [transaction(1)], clients=versions)
    offer(database_url, tmp_path / "2", [transaction(2, transaction_ts="2024-01-15T13:00:00Z")])
    assert figures(database_url) == [("2024-01-15", "XOF", 2, 1)]
    gone = transaction(2, transaction_ts="2024-01-16T13:00:00Z", updated_at=LATER)
    offer(database_url, tmp_path / "3", [gone])
    assert sorted(figures(database_url)) == [("2024-01-15", "XOF", 1, 1), ("2024-01-16", "XOF", 1, 1)]


def test_a_leaf_that_is_another_table_now_is_added_up_anew(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    before = figures(database_url)
    execute(database_url, "UPDATE ops.totalled_leaf SET leaf = 'another'")
    execute(database_url, "UPDATE ops.day_total SET transactions = 7")
    with connect(database_url) as connection:
        refresh_views(connection)
    assert figures(database_url) == before


def test_totals_of_a_leaf_that_went_go_with_it(database_url: str, tmp_path: Path) -> None:
    later = transaction(2, transaction_ts="2024-02-03T00:00:00Z")
    offer(database_url, tmp_path / "1", [transaction(1), later])
    execute(
        database_url,
        "ALTER TABLE dwh.fact_daily_client_summary DETACH PARTITION dwh_parts.fact_daily_client_summary_2024_01",
    )
    with connect(database_url) as connection:
        refresh_views(connection)
    assert figures(database_url) == [("2024-02-03", "XOF", 1, 1)]


def test_totals_are_made_anew_where_they_differ(database_url: str, tmp_path: Path) -> None:
    offer(database_url, tmp_path / "1", [transaction(1)])
    before = figures(database_url)
    execute(database_url, "UPDATE ops.day_total SET transactions = 7")
    assert cauri("refresh", "--verify", url=database_url).code == 1
    assert cauri("refresh", "--verify", "--mend", url=database_url).code == 0
    assert figures(database_url) == before
