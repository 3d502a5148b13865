"""What gets in the way of a run that goes on: cut connections, locks, limits, full disks, clocks, other runs.

Each time it ends with 75 and words that help, within a time that does not depend on whoever is in the way, and the same
command again finishes the work.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from psycopg import sql

from engine import intake
from tests.database import copied_database
from tests.faults.killing import instants, kills, places
from tests.faults.rounds import (
    Scene,
    assert_as_if_undisturbed,
    assert_clear_end,
    commanded,
    finish,
    scene,
)
from tests.loading import SERVICE, Silence, cauri, execute, load, rows_of, transaction, value_of, write_feed
from warehouse.connection import connect
from warehouse.snapshot import read_frame

SEED = 20240115
CUTS = kills(3)
# Long enough for what a run waits for in passing.
SHORT_LOCK_TIMEOUT = "-c lock_timeout=1s"
CUT = (
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def night(template_database: tuple[str, str]) -> Iterator[Scene]:
    with scene("nightly", template_database) as found:
        yield found


@pytest.fixture
def url(night: Scene) -> Iterator[str]:
    with copied_database(*night.template) as copy:
        yield copy


def impatient(url: str, options: str = SHORT_LOCK_TIMEOUT) -> str:
    return f"{url}&options={options.replace(' ', '%20').replace('=', '%3D')}"


def hindered(night: Scene, url: str, home: Path, edge: str, hinder: Callable[[], None]) -> tuple[int, str]:
    """Run the night up to an edge, let something get in its way, and see how it ends."""
    with commanded(night.arguments(), url, home, edge) as run:
        run.go_on()
        assert run.is_held()
        hinder()
        run.go_on()
        _, err = run.rest()
        return run.process.returncode, err


@pytest.mark.parametrize("edge", places(["end 2", "end 4", "begin 6", "end 6", "begin 9", "begin 10"]))
def test_all_connections_are_cut(night: Scene, url: str, tmp_path: Path, edge: str) -> None:
    code, err = hindered(night, url, tmp_path, edge, lambda: execute(url, CUT))
    assert_clear_end(code, err, killed=True)
    # Before step 10 the run is closed; step 10 takes a connection of its own, and needs none that was cut.
    assert code == (0 if edge == "begin 10" else 75), err
    finish(night, url, tmp_path)
    assert_as_if_undisturbed(night, url, tmp_path)


@pytest.mark.timeout(300 + 120 * CUTS)
def test_all_connections_are_cut_at_random_instants(night: Scene, tmp_path: Path) -> None:
    ended = list[int]()
    moments = instants(CUTS, night.seconds, SEED)
    # One that was not using a connection just then, or had none any more, does not count.
    while ended.count(75) < CUTS:
        home = tmp_path / str(len(ended))
        with copied_database(*night.template) as url:
            with commanded(night.arguments(), url, home) as run:
                run.go_on()
                run.ends_within(next(moments))
                execute(url, CUT)
                _, err = run.rest()
                ended.append(run.process.returncode)
            assert_clear_end(ended[-1], err, killed=True)
            finish(night, url, home)
            assert_as_if_undisturbed(night, url, home)


LOCKED = {
    "a leaf that is merged into": ("end 5", "dwh_parts.fact_transactions_2024_01"),
    "clients": ("end 3", "dwh.dim_client"),
    "beneficiaries": ("end 3", "dwh.dim_beneficiary"),
    "the ledger of leaves": ("end 4", "ops.leaf"),
    "the ledger of files": ("begin 9", "ops.file"),
    "the ledger of runs": ("end 3", "ops.run"),
    "the daily summary": ("begin 8", "dwh.fact_daily_client_summary"),
    "the key figures": ("begin 8", "dwh.mv_daily_kpi"),
}


@pytest.mark.parametrize("locked", places(list(LOCKED)))
def test_another_session_holds_a_lock_and_keeps_it(night: Scene, url: str, tmp_path: Path, locked: str) -> None:
    edge, table = LOCKED[locked]
    name = sql.Identifier(*table.split("."))
    with psycopg.connect(url) as other:

        def hinder() -> None:
            if table.endswith("kpi"):
                # LOCK takes no materialized view.
                other.execute(sql.SQL("ALTER MATERIALIZED VIEW {} SET (fillfactor = 90)").format(name))
            else:
                other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(name))

        code, err = hindered(night, impatient(url), tmp_path, edge, hinder)
        assert code == 75, err
        assert_clear_end(code, err, killed=True)
        assert "a lock was not had in time" in err
    finish(night, url, tmp_path)
    assert_as_if_undisturbed(night, url, tmp_path)


def test_a_lock_is_waited_for_a_minute_unless_the_url_says_otherwise(database_url: str) -> None:
    for url, expected in ((database_url, "1min"), (impatient(database_url), "1s")):
        with connect(url) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == (expected,)
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout")


def test_limits_of_the_database_are_made_for_others(night: Scene, url: str, tmp_path: Path) -> None:
    """As pg_dump does, a run lifts them: each of its statements would otherwise fail again the next time."""
    name = sql.Identifier(value_of(url, "SELECT current_database()"))
    server = night.template[0]
    for limit in LIMITS:
        execute(server, sql.SQL("ALTER DATABASE {} SET {} = '5ms'").format(name, sql.Identifier(limit)))
    done = cauri(*night.arguments(), "--quiet", url=url, home=tmp_path)
    assert done.code == 0, done.told
    for limit in LIMITS:
        execute(server, sql.SQL("ALTER DATABASE {} RESET {}").format(name, sql.Identifier(limit)))
    assert_as_if_undisturbed(night, url, tmp_path)


HABITS = {
    "client_encoding": "LATIN1",
    "datestyle": "SQL, DMY",
    "extra_float_digits": "-10",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "search_path": "pg_catalog",
    "timezone": "Asia/Kolkata",
}


def test_how_others_speak_with_the_database_changes_nothing(night: Scene, url: str, tmp_path: Path) -> None:
    name = sql.Identifier(value_of(url, "SELECT current_database()"))
    server = night.template[0]
    for habit, value in HABITS.items():
        execute(
            server, sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(habit), sql.Literal(value))
        )
    spoken = {"PGCLIENTENCODING": "LATIN1", "PGDATESTYLE": "German", "PGTZ": "Asia/Kolkata"}
    done = cauri(*night.arguments(), "--quiet", url=url, home=tmp_path, variables=spoken)
    assert done.code == 0, done.told
    execute(server, sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    assert_as_if_undisturbed(night, url, tmp_path)


def test_the_limit_of_transactions_is_lifted_where_the_server_knows_it(database_url: str) -> None:
    if int(value_of(database_url, "SHOW server_version_num")) < 170_000:
        pytest.skip("there is none")
    name = sql.Identifier(value_of(database_url, "SELECT current_database()"))
    execute(database_url, sql.SQL("ALTER DATABASE {} SET transaction_timeout = '1h'").format(name))
    assert value_of(database_url, "SHOW transaction_timeout") == "1h"
    with connect(database_url) as connection:
        assert connection.execute("SHOW transaction_timeout").fetchone() == ("0",)
    shown = read_frame(database_url, "SELECT current_setting('transaction_timeout') AS limit")
    assert shown["limit"].to_list() == ["0"]


def test_a_limit_in_the_url_is_meant(night: Scene, url: str, tmp_path: Path) -> None:
    done = cauri(*night.arguments(), "--quiet", url=impatient(url, "-c statement_timeout=1ms"), home=tmp_path)
    assert_clear_end(done.code, done.err, killed=True)
    assert done.code == 75
    assert "statement timeout" in done.err
    finish(night, url, tmp_path)
    assert_as_if_undisturbed(night, url, tmp_path)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of so many mebibytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="cauri-disk-", dir="/tmp"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)]
    if subprocess.run(command, check=False).returncode:
        folder.rmdir()
        pytest.skip("may not mount here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def fill(folder: Path, left: int) -> Path:
    """Fill a disk up, but for so many bytes; return what fills it."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    filler.write_bytes(b"\0" * max(free - left, 0))
    return filler


@pytest.mark.parametrize("left", [0, 40_000])
def test_the_disk_of_the_home_is_full(night: Scene, url: str, tmp_path: Path, left: int) -> None:
    with small_disk(8) as disk:
        filler = fill(disk, left)
        done = cauri(*night.arguments(), "--quiet", url=url, home=disk)
        assert done.code == 75, done.told
        assert_clear_end(done.code, done.err, killed=True)
        assert f"the disk of {disk}/work is full" in done.err
        filler.unlink()
        finish(night, url, disk)
        assert_as_if_undisturbed(night, url, disk)


@pytest.mark.skipif("CAURI_TEST_DATABASE_URL" in os.environ, reason="its disks are not ours")
@pytest.mark.parametrize("edge", ["begin 4", "begin 6", "begin 9"])
def test_the_disk_of_the_server_is_full_in_the_middle_of_a_night(
    night: Scene, template_database: tuple[str, str], tmp_path: Path, edge: str
) -> None:
    with small_disk(192) as disk:
        server, base = night.template
        place = disk / "tables"
        place.mkdir()
        owner = Path(value_of(f"{server}", "SHOW data_directory")).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        space = f"small_{place.parent.name.rsplit('-', 1)[-1].lower()}"
        execute(server, sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(space), str(place)))
        try:
            with copied_database(server, base) as url:
                name = sql.Identifier(value_of(url, "SELECT current_database()"))
                execute(server, sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(name, sql.Identifier(space)))
                fillers: list[Path] = []
                code, err = hindered(night, url, tmp_path, edge, lambda: fillers.append(fill(disk, 0)))
                assert code == 75, err
                assert_clear_end(code, err, killed=True)
                assert "the database server's disk is full" in err
                fillers[0].unlink()
                finish(night, url, tmp_path)
                assert_as_if_undisturbed(night, url, tmp_path)
        finally:
            execute(server, sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(space)))


def test_other_runs_end_at_once_while_one_works(night: Scene, url: str, tmp_path: Path) -> None:
    with commanded(night.arguments(), url, tmp_path, "end 4") as run:
        run.go_on()
        assert run.is_held()
        others: list[list[str]] = [
            ["load", str(night.folder)],
            night.arguments(),
            ["refresh"],
            ["partitions", "apply"],
        ]
        for arguments in others:
            done = cauri(*arguments, url=url, home=tmp_path / "2")
            assert done.code == 75, done.told
            assert "another run is writing" in done.told
        run.go_on()
        _, err = run.rest()
        assert run.process.returncode == 0, err
    assert_as_if_undisturbed(night, url, tmp_path)


def clock_at(moment: datetime) -> "mock._patch[mock.Mock]":
    return mock.patch.object(intake, "datetime", mock.Mock(now=moment.astimezone))


def test_a_clock_that_is_set_back_between_two_runs_refuses_no_row(database_url: str, tmp_path: Path) -> None:
    """The server's clock is right; rows of this hour are not from the future."""
    now = datetime.now(UTC)
    today = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    write_feed(tmp_path / "1", "services", [SERVICE])
    write_feed(tmp_path / "1", "transactions", [transaction(1, transaction_ts=today, updated_at=today)])
    load(tmp_path / "1", database_url)
    later = f"{now + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    rows = [
        transaction(1, transaction_ts=today, updated_at=later, status="REVERSED"),
        transaction(2, transaction_ts=today),
    ]
    write_feed(tmp_path / "2", "transactions", rows)
    watcher = Silence()
    with clock_at(now - timedelta(days=3)):
        done = load(tmp_path / "2", database_url, watcher=watcher)
    assert done.rows.as_dict() == {"read": 2, "loaded": 1, "updated": 1, "repeated": 0, "rejected": 0}
    assert any("4,320 min behind that of the database" in line for line in watcher.said)
    # Runs follow each other by their numbers and by their clocks, and none is taken for another's.
    runs = rows_of(database_url, "SELECT status, started_at > lag(started_at) OVER (ORDER BY run_id) FROM ops.run")
    assert runs == [("done", None), ("done", True)]
    assert cauri("health", url=database_url).code in (0, 1)
    assert cauri("status", url=database_url).code == 0


def test_a_killed_run_of_the_other_side_of_a_clock_change_is_gone_on_with(
    night: Scene, url: str, tmp_path: Path
) -> None:
    """What was committed is known by content, not by moments."""
    with commanded(night.arguments(), url, tmp_path, "end 6") as run:
        run.go_on()
        assert run.is_held()
        os.killpg(run.process.pid, signal.SIGKILL)
        run.rest()
    with clock_at(datetime.now(UTC) - timedelta(days=random.Random(SEED).randint(1, 30))):
        finish(night, url, tmp_path)
    assert_as_if_undisturbed(night, url, tmp_path)
