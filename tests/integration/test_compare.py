"""Files against the warehouse, to the last minor unit."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.compare import compare
from engine.intake import Doorkeeper
from engine.steps import Stopwatch
from engine.work_folder import work_folder
from sample.plan import SamplePlan
from tests.loading import (
    KEYRING,
    SERVICE,
    Silence,
    everything,
    execute,
    load,
    sample_folder,
    settings_for,
    transaction,
    write_feed,
)
from warehouse.connection import connect
from warehouse.errors import SourceError

PLAN = SamplePlan(rows=2_000, months=2, dirty_share=0.02, duplicate_share=0.03, update_share=0.05, dialect="mixed")


def differences(folder: Path, url: str) -> pl.DataFrame:
    settings, watcher = settings_for(url), Silence()
    with connect(url) as connection, work_folder(settings) as work:
        keeper = Doorkeeper(connection, settings, KEYRING, work, Stopwatch(watcher), watcher)
        return compare(keeper, url, folder, None)


def test_a_loaded_folder_is_equal_and_comparing_changes_nothing(database_url: str) -> None:
    folder = sample_folder(PLAN)
    load(folder, database_url)
    before = everything(database_url)
    assert differences(folder, database_url).is_empty()
    assert everything(database_url) == before


TAMPERED: dict[str, tuple[str, dict[str, Any]]] = {
    "an amount": (
        "UPDATE dwh.fact_transactions SET amount_minor = amount_minor + 1 WHERE transaction_id = 'T1'",
        {"transactions_warehouse": 2, "amount_minor_source": 3000, "amount_minor_warehouse": 3001},
    ),
    "a commission": (
        "UPDATE dwh.fact_transactions SET commission_minor = 7 WHERE transaction_id = 'T1'",
        {"commission_minor_source": 0, "commission_minor_warehouse": 7},
    ),
    "a row less": (
        "DELETE FROM dwh.fact_transactions WHERE transaction_id = 'T1'",
        {"transactions_source": 2, "transactions_warehouse": 1},
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [transaction(1), transaction(2, amount="2000"), transaction(3, transaction_ts="2024-02-01T00:00:00Z")]
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", rows)
    return tmp_path


@pytest.mark.parametrize(("statement", "expected"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_tampered_with_is_named(
    database_url: str, folder: Path, statement: str, expected: dict[str, Any]
) -> None:
    load(folder, database_url)
    execute(database_url, statement)
    (cell,) = differences(folder, database_url).to_dicts()
    assert (cell["date_key"], cell["currency_code"], cell["status_code"]) == (20240115, "XOF", "SUCCESS")
    assert cell.items() >= expected.items()


def test_another_status_shows_on_both_sides(database_url: str, folder: Path) -> None:
    load(folder, database_url)
    execute(database_url, "UPDATE dwh.fact_transactions SET status_key = 2 WHERE transaction_id = 'T3'")
    cells = differences(folder, database_url).select("date_key", "status_code", "transactions_source").rows()
    assert cells == [(20240201, "FAILED", 0), (20240201, "SUCCESS", 1)]


def test_days_that_the_folder_does_not_speak_of_do_not_count(database_url: str, folder: Path, tmp_path: Path) -> None:
    load(folder, database_url)
    other = tmp_path / "other"
    write_feed(other, "transactions", [transaction(9, transaction_ts="2024-03-01T00:00:00Z")])
    load(other, database_url)
    assert differences(folder, database_url).is_empty()
    assert differences(other, database_url).is_empty()


def test_an_empty_warehouse_lacks_everything(database_url: str, folder: Path) -> None:
    cells = differences(folder, database_url)
    assert cells["transactions_source"].sum() == 3
    assert cells["transactions_warehouse"].to_list() == [0, 0]


def test_a_folder_without_transactions_is_equal(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    assert differences(tmp_path, database_url).is_empty()


def test_a_folder_without_feeds(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        differences(tmp_path, database_url)
