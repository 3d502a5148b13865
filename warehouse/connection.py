"""Connections to PostgreSQL, and its errors in Cauri's words: translated here, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from warehouse.errors import CauriError, ConfigurationError, LockBusyError, TargetError, TransientTargetError
from warehouse.interruption import registered

# What the floors above may say of the driver: a connection, and safely composed SQL.
Connection = psycopg.Connection[Any]
__all__ = ["Connection", "connect", "is_writable", "require_writable", "sql", "translated"]

SUPPORTED_MAJORS = range(15, 19)
CONNECT_TIMEOUT_SECONDS = 10

# Class of the SQLSTATE -> what the caller can do about it. Longer prefixes win.
_TRANSIENT = ("08", "40", "53", "55P03", "57P01", "57P02", "57P03", "57014", "58030")
_CONFIGURATION = ("28", "3D000")


@contextmanager
def connect(url: str, *, autocommit: bool = True, application: str = "cauri") -> Iterator[Connection]:
    """A connection for the length of a `with` block; the session speaks UTC.

    Raises:
        ConfigurationError: wrong password, role or database name.
        TransientTargetError: the server is away, full, or a lock was not had in time.
        TargetError: the server refuses for good: unsupported version, missing right.
    """
    with translated():
        connection = psycopg.connect(_with_defaults(url, application), autocommit=autocommit, prepare_threshold=None)
        try:
            _check_version(connection)
            with registered(connection):
                yield connection
        finally:
            connection.close()


def _with_defaults(url: str, application: str) -> str:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            "CAURI_DATABASE_URL is not a PostgreSQL connection string",
            remedy="use the form postgresql://user:password@host:5432/database",
        ) from None
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": application,
        "options": "-c timezone=UTC -c client_min_messages=warning",
    }
    return make_conninfo(**{**defaults, **given})


def _check_version(connection: Connection) -> None:
    major = connection.info.server_version // 10_000
    if major not in SUPPORTED_MAJORS:
        raise TargetError(
            f"the server runs PostgreSQL {major}; Cauri needs {SUPPORTED_MAJORS[0]} to {SUPPORTED_MAJORS[-1]}",
            remedy="point CAURI_DATABASE_URL at a supported server",
            found=major,
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
    state = exc.sqlstate or ""
    text = exc.diag.message_primary or _first_line(str(exc))
    if state.startswith(_CONFIGURATION) or _is_refused_login(text):
        return ConfigurationError(
            f"the database refused the login: {text}",
            remedy="check user, password and database in CAURI_DATABASE_URL",
            sqlstate=state,
        )
    if state == "53100":
        return TransientTargetError(
            f"the database server's disk is full: {text}",
            remedy="free space on the server, then run the same command again: what was committed is skipped",
            sqlstate=state,
        )
    if isinstance(exc, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return LockBusyError(f"a lock was not had in time: {text}", remedy="run the same command again", sqlstate=state)
    if state == "25006":
        return TargetError("the database is read-only", remedy="connect to the primary, as a role that may write")
    if state.startswith(_TRANSIENT) or (not state and isinstance(exc, psycopg.OperationalError)):
        return TransientTargetError(
            f"the database is away or busy: {text}",
            remedy="see that it runs and can be reached, then run the same command again: what is committed is skipped",
            sqlstate=state,
        )
    return TargetError(f"PostgreSQL refused ({state or type(exc).__name__}): {text}", sqlstate=state)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"


def _is_refused_login(text: str) -> bool:
    # A failed connection carries no SQLSTATE, only the server's words.
    return "authentication failed" in text or ("FATAL" in text and "does not exist" in text) or "no password" in text
