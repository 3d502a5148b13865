"""The ledger and the writer's lock."""

import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest

from tests.loading import SERVICE, load, rows_of, state, transaction, value_of, write_feed
from warehouse.connection import connect
from warehouse.errors import TransientTargetError
from warehouse.ledger import (
    FileEntry,
    WorkEntry,
    close_run,
    forget_leaf,
    give_up_run,
    known_files,
    open_run,
    record_file,
    record_work,
    work_done,
)
from warehouse.lock import require_writer, single_writer

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
ENTRY = FileEntry("hash", "transactions", "1-x", "a.csv", 10, read=10, loaded=5, updated=2, repeated=2, rejected=1)
OF_THE_LOCK = "application_name = 'cauri lock' AND datname = current_database()"
END_THE_LOCKS_SESSION = f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {OF_THE_LOCK}"
SESSIONS_WITH_LOCK = f"SELECT count(*) FROM pg_stat_activity WHERE {OF_THE_LOCK}"
WAITING_AT_THE_FENCE = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
HOLD = """
import sys
from warehouse.lock import single_writer
with single_writer(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_from_beginning_to_end(database_url: str) -> None:
    with connect(database_url) as connection:
        run_id = open_run(connection, "load", "work", BEGAN)
        assert rows_of(database_url, "SELECT status, finished_at FROM ops.run") == [("running", None)]
        counts = {"read": 5, "loaded": 1, "updated": 1, "repeated": 1, "rejected": 2}
        close_run(
            connection, run_id, "done", {"rows": counts, "steps": [{"step": 1, "name": "Discover", "seconds": 0.5}]}
        )
    assert rows_of(
        database_url,
        "SELECT status, rows_read, rows_loaded, rows_updated, rows_repeated, rows_rejected, finished_at IS NOT NULL"
        " FROM ops.run",
    ) == [("done", 5, 1, 1, 1, 2, True)]
    assert rows_of(database_url, "SELECT step, name, seconds FROM ops.step") == [(1, "Discover", 0.5)]


def test_a_file_is_known_by_content_feed_and_contract(database_url: str) -> None:
    with connect(database_url) as connection:
        record_file(connection, open_run(connection, "load", "work", BEGAN), ENTRY)
        assert known_files(connection) == {("hash", "transactions", "1-x"): "a.csv"}


def test_a_file_is_accounted_for_once(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        run_id = open_run(connection, "load", "work", BEGAN)
        record_file(connection, run_id, ENTRY)
        with pytest.raises(psycopg.errors.UniqueViolation):
            record_file(connection, run_id, ENTRY)


def test_the_books_refuse_a_file_whose_rows_do_not_add_up(database_url: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(database_url) as connection:
        record_file(connection, open_run(connection, "load", "work", BEGAN), replace(ENTRY, rejected=0))


def test_work_is_found_again_and_forgotten(database_url: str) -> None:
    leaf = WorkEntry("fact_transactions_2024_01", "built", 3, 10**20, 5, 2)
    merge = WorkEntry("merge", "merged", 1, outcomes={"updated": [1, 2]})
    with connect(database_url) as connection:
        run_id = open_run(connection, "load", "work", BEGAN)
        record_work(connection, "work", run_id, leaf)
        record_work(connection, "work", run_id, merge)
        assert work_done(connection, "work") == {leaf.part: leaf, merge.part: merge}
        assert work_done(connection, "other") == {}
        forget_leaf(connection, leaf.part)
        assert work_done(connection, "work") == {merge.part: merge}


def test_one_writer_at_a_time(database_url: str) -> None:
    with single_writer(database_url):
        with pytest.raises(TransientTargetError, match="another run is writing"), single_writer(database_url):
            pass
        assert rows_of(database_url, "SELECT status FROM ops.run") == []


def test_the_lock_is_free_as_soon_as_it_is_let_go(database_url: str) -> None:
    for _ in range(40):
        with single_writer(database_url):
            pass


def test_the_lock_goes_with_a_failure_and_hides_no_error(database_url: str) -> None:
    with pytest.raises(ZeroDivisionError), single_writer(database_url):
        raise ZeroDivisionError
    with single_writer(database_url):
        pass


def test_the_lock_hides_no_error_when_its_connection_is_gone(database_url: str) -> None:
    with pytest.raises(ZeroDivisionError), single_writer(database_url):
        raise ZeroDivisionError(value_of(database_url, END_THE_LOCKS_SESSION))


def test_a_killed_run_leaves_no_lock(database_url: str) -> None:
    command = [sys.executable, "-c", HOLD, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TransientTargetError), single_writer(database_url):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while value_of(database_url, SESSIONS_WITH_LOCK):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with single_writer(database_url):
        pass


def test_a_load_does_not_begin_while_another_writes(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "channels", [{"channel_code": "APP", "channel_name": "App"}])
    before = state(database_url)
    with single_writer(database_url), pytest.raises(TransientTargetError, match="another run is writing"):
        load(tmp_path, database_url)
    assert state(database_url) == before


def test_a_load_that_loses_its_lock_stops(database_url: str, tmp_path: Path) -> None:
    """Its session was ended by the server or something between: another run may be writing by now."""
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(1)])

    def lose_the_lock(*_: object) -> set[object]:
        value_of(database_url, END_THE_LOCKS_SESSION)
        return set()

    with mock.patch("engine.publish.attached_spans", lose_the_lock), pytest.raises(TransientTargetError):
        load(tmp_path, database_url)
    assert value_of(database_url, "SELECT count(*) FROM dwh.fact_transactions") == 0


@pytest.mark.parametrize("point", ["attach", "recompute_dirty_cells", "refresh_views", "reconcile"])
def test_a_load_that_loses_its_lock_later_keeps_what_was_committed(
    database_url: str, tmp_path: Path, point: str
) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(1)])
    original = pkgutil.resolve_name(f"engine.publish:{point}")

    def lose_the_lock(*args: Any, **options: Any) -> Any:
        value_of(database_url, END_THE_LOCKS_SESSION)
        return original(*args, **options)

    with (
        mock.patch(f"engine.publish.{point}", lose_the_lock),
        pytest.raises(TransientTargetError, match="has lost the writer lock"),
    ):
        load(tmp_path, database_url)
    assert value_of(database_url, "SELECT count(*) FROM ops.file") == 0
    assert value_of(database_url, "SELECT status FROM ops.run") == "failed"
    assert load(tmp_path, database_url).status == "done"
    assert value_of(database_url, "SELECT count(*) FROM dwh.fact_transactions") == 1


def test_the_next_writer_waits_for_who_looked_before_the_lock_was_lost(database_url: str) -> None:
    """Between the last look and the commit nobody else begins."""
    begun = threading.Event()

    def write_next() -> None:
        with single_writer(database_url):
            begun.set()

    with connect(database_url) as connection, connect(database_url) as other, single_writer(database_url) as lock:
        run_id = open_run(connection, "load", "work", BEGAN)
        lock.lead(run_id)
        with connection.transaction():
            require_writer(connection, run_id)
            value_of(database_url, END_THE_LOCKS_SESSION)
            thread = threading.Thread(target=write_next)
            thread.start()
            while other.execute(WAITING_AT_THE_FENCE).fetchone() == (0,):
                time.sleep(0.01)
            assert not begun.is_set()
        thread.join(timeout=20)
        assert begun.is_set()
        with pytest.raises(TransientTargetError), connection.transaction():
            require_writer(connection, run_id)


def test_a_run_that_was_closed_writes_no_more(database_url: str) -> None:
    with connect(database_url) as connection, single_writer(database_url) as lock:
        run_id = open_run(connection, "load", "work", BEGAN)
        lock.lead(run_id)
        require_writer(connection, run_id)
        give_up_run(connection, "work", BEGAN, "stopped")
        with pytest.raises(TransientTargetError, match=f"run {run_id} has lost"):
            require_writer(connection, run_id)


def test_a_lease_is_renewed_while_the_lock_is_held(database_url: str) -> None:
    lease = "SELECT lease_until FROM ops.run"
    with mock.patch("warehouse.lock.RENEWALS_A_LEASE", 6000), connect(database_url) as connection:
        with single_writer(database_url) as lock:
            lock.lead(open_run(connection, "load", "work", BEGAN))
            first = value_of(database_url, lease)
            deadline = time.monotonic() + 20
            while value_of(database_url, lease) == first:
                assert time.monotonic() < deadline
        last = value_of(database_url, lease)
    assert last > first
    assert value_of(database_url, lease) == last


def test_a_lease_whose_connection_is_gone_stops_nobody(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with (
        mock.patch("warehouse.lock.RENEWALS_A_LEASE", 6000),
        connect(database_url) as connection,
        single_writer(database_url) as lock,
    ):
        lock.lead(open_run(connection, "load", "work", BEGAN))
        value_of(database_url, END_THE_LOCKS_SESSION)
        deadline = time.monotonic() + 20
        while "writer lock is gone" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.01)
