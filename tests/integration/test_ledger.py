"""The ledger and the writer's lock."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
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
    known_files,
    open_run,
    record_file,
    record_work,
    work_done,
)
from warehouse.lock import single_writer

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
ENTRY = FileEntry("hash", "transactions", "1-x", "a.csv", 10, read=10, loaded=5, updated=2, repeated=2, rejected=1)
OF_THE_LOCK = "application_name = 'cauri lock' AND datname = current_database()"
END_THE_LOCKS_SESSION = f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {OF_THE_LOCK}"
SESSIONS_WITH_LOCK = f"SELECT count(*) FROM pg_stat_activity WHERE {OF_THE_LOCK}"
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
