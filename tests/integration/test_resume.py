"""A load that was interrupted between its transactions, and is run again."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from engine import load as load_module
from engine import publish
from tests.loading import SERVICE, load, rows_of, settings_for, transaction, value_of, write_feed
from warehouse import ledger
from warehouse.errors import TransientTargetError


def test_a_moved_row_survives_a_kill_between_build_and_merge(database_url: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_feed(first, "services", [SERVICE])
    write_feed(first, "transactions", [transaction(1), transaction(2)])
    load(first, database_url)
    moved = transaction(2, transaction_ts="2024-02-03T10:00:00Z", updated_at="2024-02-04T10:00:00Z")
    new = transaction(3, transaction_ts="2024-02-05T10:00:00Z", updated_at="2024-02-05T10:00:00Z")
    write_feed(second, "transactions", [moved, new])
    away = TransientTargetError("away")
    with mock.patch.object(publish, "merge", side_effect=away), pytest.raises(TransientTargetError):
        load(second, database_url)
    load(second, database_url)
    found = rows_of(database_url, "SELECT transaction_id, date_key FROM dwh.fact_transactions ORDER BY 1")
    assert found == [("T1", 20240115), ("T2", 20240203), ("T3", 20240205)]


def test_two_loads_of_one_process_do_not_share_their_snapshots(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path / "home")
    first, second = tmp_path / "first", tmp_path / "second"
    write_feed(first, "services", [SERVICE])
    write_feed(first, "transactions", [transaction(1)])
    load(first, database_url, settings=settings)
    write_feed(second, "transactions", [transaction(2, client_id="C2", transaction_ts="2024-02-03T10:00:00Z")])
    load(second, database_url, settings=settings)
    assert value_of(database_url, "SELECT count(DISTINCT client_key) FROM dwh.fact_transactions") == 2


@pytest.mark.parametrize("exc", [KeyboardInterrupt, ValueError])
def test_a_run_that_ends_before_it_knows_its_number_is_closed(
    database_url: str, tmp_path: Path, exc: type[BaseException]
) -> None:
    write_feed(tmp_path, "services", [SERVICE])

    def open_run(*arguments: Any) -> int:
        ledger.open_run(*arguments)
        raise exc

    with mock.patch.object(load_module, "open_run", open_run), pytest.raises(exc):
        load(tmp_path, database_url)
    ended = {KeyboardInterrupt: "stopped", ValueError: "failed"}[exc]
    assert rows_of(database_url, "SELECT status, finished_at IS NULL FROM ops.run") == [(ended, False)]
