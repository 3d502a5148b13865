"""The door: connections, and the driver's errors in Cauri's words."""

import os
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from typing import LiteralString
from urllib.parse import urlsplit

import polars as pl
import psycopg
import pytest
from psycopg import sql

from tests.database import with_database
from tests.loading import execute, value_of
from warehouse import connection as door
from warehouse.address import place_of
from warehouse.connection import connect, require_writable, translated
from warehouse.errors import CauriError, ConfigurationError, LockBusyError, TargetError, TransientTargetError
from warehouse.snapshot import read_frame, reader


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, kept so."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield place.getsockname()[1]


def run(url: str, *statements: LiteralString) -> None:
    with connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_session_speaks_utc(database_url: str) -> None:
    with connect(database_url, application="tests") as connection:
        found = connection.execute("SELECT current_setting('timezone'), current_setting('application_name')").fetchone()
    assert found == ("UTC", "tests")


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("client_encoding", "LATIN1", "UTF8"),
        ("timezone", "Asia/Kolkata", "UTC"),
        ("datestyle", "SQL, DMY", "ISO, MDY"),
        ("extra_float_digits", "-10", "1"),
        ("quote_all_identifiers", "on", "off"),
        ("standard_conforming_strings", "off", "on"),
        ("default_transaction_isolation", "serializable", "read committed"),
    ],
)
def test_what_a_session_speaks(
    database_url: str, monkeypatch: pytest.MonkeyPatch, name: str, theirs: str, ours: str
) -> None:
    """Whatever database and environment say: libpq sends what the latter says after the options of a connection."""
    database = sql.Identifier(value_of(database_url, "SELECT current_database()"))
    execute(
        database_url,
        sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, sql.Identifier(name), sql.Literal(theirs)),
    )
    for variable, value in (("PGCLIENTENCODING", "LATIN1"), ("PGTZ", "Asia/Kolkata"), ("PGDATESTYLE", "German")):
        monkeypatch.setenv(variable, value)
    shown = "SELECT current_setting(%s)"
    with connect(database_url) as connection:
        assert connection.execute(shown, (name,)).fetchone() == (ours,)
    with reader(database_url) as reading:
        assert reading.read("SELECT current_setting($1) AS found", (name,))["found"].to_list() == [ours]


def test_a_session_whose_client_is_gone_ends_although_it_waits_for_a_lock(database_url: str) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(database_url) as holder, connect(database_url) as waiter:
        holder.execute("LOCK TABLE ops.run")
        waiter.pgconn.send_query(b"TABLE ops.run")
        until(database_url, waits, 1)
        with socket.socket(fileno=os.dup(waiter.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        until(database_url, waits, 0)


def until(url: str, statement: LiteralString, expected: int) -> None:
    deadline = time.monotonic() + 20
    while value_of(url, statement) != expected:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_settings_of_the_url_win(database_url: str) -> None:
    with connect(f"{database_url}&application_name=mine") as connection:
        assert connection.execute("SELECT current_setting('application_name')").fetchone() == ("mine",)


def test_limits_of_the_url_win(database_url: str) -> None:
    """Also those that no option of ours sets; version 15 knows one of them."""
    name = "client_connection_check_interval"
    with connect(f"{database_url}&options=-c%20{name}%3D5s") as connection:
        assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == ("5s",)
    with connect(database_url) as connection:
        assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == ("1s",)
        if connection.info.server_version >= 170000:
            url = f"{database_url}&options=-c%20transaction_timeout%3D7s"
            with connect(url) as limited:
                assert limited.execute("SHOW transaction_timeout").fetchone() == ("7s",)


def test_the_connection_is_closed_at_the_end(database_url: str) -> None:
    with connect(database_url) as connection:
        pass
    assert connection.closed


@pytest.mark.parametrize("url", ["nonsense", "http://localhost/db", "postgresql://h/db?no=1"])
def test_no_connection_string(url: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="CAURI_DATABASE_URL is not a PostgreSQL connection string") as caught,
        connect(url),
    ):
        pass
    assert "postgresql://user:password@host" in caught.value.remedy


def test_nobody_listens(closed_port: int) -> None:
    with (
        pytest.raises(TransientTargetError, match="away") as caught,
        connect(f"postgresql://u:secret@127.0.0.1:{closed_port}/d"),
    ):
        pass
    assert caught.value.exit_code == 75
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist(database_url: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="no_such_place") as caught,
        connect(with_database(database_url, "no_such_place")),
    ):
        pass
    assert caught.value.exit_code == 2


def test_a_role_that_does_not_exist(database_url: str) -> None:
    user = next(part for part in urlsplit(database_url).query.split("&") if part.startswith("user="))
    with pytest.raises(ConfigurationError), connect(database_url.replace(user, "user=nobody_here")):
        pass


def test_another_version_of_the_server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SUPPORTED_MAJORS", range(90, 93))
    with pytest.raises(TargetError, match=r"PostgreSQL \d+; Cauri needs 90 to 92") as caught, connect(database_url):
        pass
    assert caught.value.exit_code == 1


def test_a_database_that_keeps_no_utf8(template_database: tuple[str, str]) -> None:
    server, _ = template_database
    make = "CREATE DATABASE cauri_test_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    execute(server, make)
    try:
        with pytest.raises(TargetError, match="as SQL_ASCII; Cauri needs UTF8") as caught:
            run(with_database(server, "cauri_test_ascii"))
        assert "ENCODING 'UTF8'" in caught.value.remedy
    finally:
        execute(server, "DROP DATABASE cauri_test_ascii")


def test_text_is_utf8_whatever_the_url_says(database_url: str) -> None:
    with connect(f"{database_url}&client_encoding=LATIN1") as connection:
        assert connection.execute("SHOW client_encoding").fetchone() == ("UTF8",)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://etl:hunter2@db.example.com:6432/warehouse", ("db.example.com", "6432", "warehouse")),
        ("postgresql://etl:hunter2@a:1,b:2/warehouse", ("a", "1", "warehouse")),
        ("host=db user=etl password='hunter 2' dbname=warehouse", ("db", "5432", "warehouse")),
        ("postgresql:///cauri?host=/run/socket&port=5432&user=cauri", ("localhost", "5432", "cauri")),
        ("service=night", ("localhost", "5432", "postgres")),
    ],
)
def test_where_an_address_leads(url: str, place: tuple[str, str, str]) -> None:
    assert place_of(url) == place


def test_a_read_only_database(database_url: str) -> None:
    name = value_of(database_url, "SELECT current_database()")
    execute(
        database_url, sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(name))
    )
    with pytest.raises(TargetError, match="read-only"), connect(database_url) as connection:
        require_writable(connection)
    with pytest.raises(TargetError, match="read-only"), connect(database_url) as connection:
        connection.execute("CREATE TABLE t ()")


def test_a_writable_database(database_url: str) -> None:
    with connect(database_url) as connection:
        require_writable(connection)


def test_the_server_ends_the_session(database_url: str) -> None:
    with pytest.raises(TransientTargetError):
        run(database_url, "SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_lock_that_is_not_had_in_time(database_url: str) -> None:
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE ops.run")
        with pytest.raises(LockBusyError) as caught:
            run(database_url, "SET lock_timeout = '50ms'", "SELECT * FROM ops.run")
    assert caught.value.exit_code == 75


def test_a_deadlock(database_url: str) -> None:
    execute(database_url, "CREATE TABLE public.a (); CREATE TABLE public.b ()")

    def cross(first: str, second: str) -> None:
        try:
            with connect(database_url) as connection, connection.transaction():
                connection.execute(f"LOCK TABLE public.{first}")
                both.wait()
                connection.execute(f"LOCK TABLE public.{second}")
        except CauriError as error:
            caught.append(error)

    both, caught = threading.Barrier(2, timeout=10), list[CauriError]()
    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in caught] == [LockBusyError]


def test_a_cancelled_statement_can_be_run_again(database_url: str) -> None:
    with pytest.raises(TransientTargetError):
        run(database_url, "SET statement_timeout = '20ms'", "SELECT pg_sleep(5)")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", TransientTargetError),
        ("53100", TransientTargetError),
        ("53300", TransientTargetError),
        ("57P03", TransientTargetError),
        ("40001", TransientTargetError),
        ("55P03", LockBusyError),
        ("40P01", LockBusyError),
        ("28P01", ConfigurationError),
        ("3D000", ConfigurationError),
        ("42501", TargetError),
        ("42P06", TargetError),
        ("42P01", TargetError),
        ("22003", TargetError),
        ("23505", TargetError),
        ("25006", TargetError),
        ("XX001", TargetError),
    ],
)
def test_states_by_what_the_caller_can_do(state: str, kind: type[CauriError]) -> None:
    with pytest.raises(CauriError) as caught, translated():
        raise psycopg.errors.lookup(state)("words of the server")
    assert type(caught.value) is kind
    assert isinstance(caught.value.__cause__, psycopg.Error)


def test_a_full_disk_says_what_to_do() -> None:
    with pytest.raises(TransientTargetError, match=r"disk is full(.|\n)*free space"), translated():
        raise psycopg.errors.DiskFull("could not extend file")


def test_values_stay_out_of_messages(database_url: str) -> None:
    with pytest.raises(TargetError) as caught:
        run(
            database_url,
            "CREATE TEMPORARY TABLE t (id text UNIQUE)",
            "INSERT INTO t VALUES ('CLI-000001'), ('CLI-000001')",
        )
    assert "CLI-0" not in str(caught.value)


@pytest.mark.parametrize("kind", [CauriError, ConfigurationError, TransientTargetError, TargetError, LockBusyError])
def test_errors_cross_processes(kind: type[CauriError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", remedy="do this", count=3)))
    assert (type(error), str(error), error.facts) == (kind, "what\n  -> do this", {"count": 3})


def test_a_frame_of_a_query(database_url: str) -> None:
    frame = read_frame(database_url, "SELECT 1::bigint AS a, 'x'::text AS b")
    assert frame.rows() == [(1, "x")]


def test_a_frame_of_what_matches(database_url: str) -> None:
    wanted = pl.DataFrame({"status_code": ["FAILED", "SUCCESS", "NO"]})
    query = "SELECT status_code, status_key FROM dwh.dim_status JOIN incoming USING (status_code) ORDER BY 2"
    assert read_frame(database_url, query, matching=wanted).rows() == [("SUCCESS", 1), ("FAILED", 2)]
    assert read_frame(database_url, query, matching=wanted.clear()).is_empty()


def test_a_frame_from_nowhere(closed_port: int) -> None:
    with pytest.raises(TransientTargetError) as caught:
        read_frame(f"postgresql://u:secret@127.0.0.1:{closed_port}/d", "SELECT 1")
    assert "secret" not in str(caught.value)


def test_a_frame_of_a_wrong_query(database_url: str) -> None:
    with pytest.raises(TargetError, match="no_such_table"):
        read_frame(database_url, "SELECT * FROM no_such_table")
