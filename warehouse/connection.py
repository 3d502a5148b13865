"""Connections to PostgreSQL, and its errors in Cauri's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from warehouse.address import dsn
from warehouse.errors import CauriError, TargetError
from warehouse.interruption import registered
from warehouse.sqlstates import error_of

# What the floors above may say of the driver: a connection, and safely composed SQL.
Connection = psycopg.Connection[Any]
__all__ = ["Connection", "connect", "is_writable", "require_writable", "sql", "translated"]

SUPPORTED_MAJORS = range(15, 19)

# No options of the connection: the first two would lose to PGTZ and PGDATESTYLE, and the driver reads no other dates;
# servers before version 17 would refuse the third, those on Windows the fourth. By it a session whose client was killed
# ends in a second, also while it computes or waits for a lock.
SETTLE_SESSION: LiteralString = """
SELECT set_config(name, value, false)
FROM (VALUES
    ('TimeZone', 'UTC', true),
    ('DateStyle', 'ISO, MDY', true),
    ('transaction_timeout', '0', true),
    ('client_connection_check_interval', '1s', version() ~ 'linux|darwin')
) AS settled (name, value, is_possible)
JOIN pg_settings USING (name)
WHERE is_possible AND (source <> 'client' OR name IN ('TimeZone', 'DateStyle'))
"""


@contextmanager
def connect(url: str, *, autocommit: bool = True, application: str = "cauri") -> Iterator[Connection]:
    """A connection for the length of a `with` block; the session speaks UTC.

    Raises:
        ConfigurationError: wrong password, role or database name.
        TransientTargetError: the server is away, full, or a lock was not had in time.
        TargetError: the server refuses for good: unsupported version, encoding other than UTF8, missing right.
    """
    with translated():
        connection = psycopg.connect(dsn(url, application), autocommit=autocommit, prepare_threshold=None)
        try:
            _check_server(connection)
            connection.execute(SETTLE_SESSION)
            if not autocommit:
                connection.commit()
            with registered(connection):
                yield connection
        finally:
            connection.close()


def _check_server(connection: Connection) -> None:
    major = connection.info.server_version // 10_000
    if major not in SUPPORTED_MAJORS:
        raise TargetError(
            f"the server runs PostgreSQL {major}; Cauri needs {SUPPORTED_MAJORS[0]} to {SUPPORTED_MAJORS[-1]}",
            remedy="point CAURI_DATABASE_URL at a supported server",
            found=major,
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise TargetError(
            f"the database keeps text as {encoding}; Cauri needs UTF8",
            remedy="make the database with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
            found=encoding,
        )


def require_writable(connection: Connection) -> None:
    """Refuse a server that takes no writes, before any work is done.

    Raises:
        TargetError: the server is a standby, or read-only by setting.
    """
    standby, read_only = _refuses_writes(connection)
    if standby or read_only:
        raise TargetError(
            "the database is read-only" + (" (a standby)" if standby else " (default_transaction_read_only)"),
            remedy="connect to the primary, as a role that may write",
        )


def is_writable(connection: Connection) -> bool:
    """Whether the server takes writes."""
    return not any(_refuses_writes(connection))


def _refuses_writes(connection: Connection) -> tuple[bool, bool]:
    row = connection.execute("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'").fetchone()
    return row or (False, False)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into Cauri's. Details that could hold row values are left out."""
    try:
        yield
    except psycopg.Error as exc:
        raise _translate(exc) from exc


def _translate(exc: psycopg.Error) -> CauriError:
    text = exc.diag.message_primary or _first_line(str(exc))
    is_away = isinstance(exc, psycopg.OperationalError)
    return error_of(exc.sqlstate or "", text, is_away=is_away, kind=type(exc).__name__)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"
