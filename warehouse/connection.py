"""Connections to PostgreSQL, and its errors in Cauri's words: translated here, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from warehouse.errors import CauriError, ConfigurationError, LockBusyError, TargetError, TransientTargetError
from warehouse.interruption import registered

# What the floors above may say of the driver: a connection, and safely composed SQL.
Connection = psycopg.Connection[Any]
__all__ = ["Connection", "connect", "dsn", "error_of", "is_writable", "require_writable", "sql", "translated"]

SUPPORTED_MAJORS = range(15, 19)
CONNECT_TIMEOUT_SECONDS = 10

# What a session speaks and how long it waits, whatever role and database say. Limits made for interactive work would
# end what takes its time: pg_dump lifts the same ones. Whoever holds a lock for longer than a minute keeps the run from
# going on for ever; it ends, and the next one finds what was committed.
SESSION = {
    "timezone": "UTC",
    "client_min_messages": "warning",
    "lock_timeout": "60s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
# No options of the connection: servers before version 17 would refuse the first, those on Windows the second. By it a
# session whose client was killed ends in a second, also while it computes or waits for a lock.
SETTLE_SESSION: LiteralString = """
SELECT set_config(name, value, false)
FROM (VALUES
    ('transaction_timeout', '0', true),
    ('client_connection_check_interval', '1s', version() ~ 'linux|darwin')
) AS settled (name, value, is_possible)
JOIN pg_settings USING (name)
WHERE is_possible AND source <> 'client'
"""

# Class of the SQLSTATE -> what the caller can do about it. Longer prefixes win.
_TRANSIENT = ("08", "40", "53", "55P03", "57P01", "57P02", "57P03", "57014", "58030")
_CONFIGURATION = ("28", "3D000")
_LOCKS = ("55P03", "40P01")


@contextmanager
def connect(url: str, *, autocommit: bool = True, application: str = "cauri") -> Iterator[Connection]:
    """A connection for the length of a `with` block; the session speaks UTC.

    Raises:
        ConfigurationError: wrong password, role or database name.
        TransientTargetError: the server is away, full, or a lock was not had in time.
        TargetError: the server refuses for good: unsupported version, missing right.
    """
    with translated():
        connection = psycopg.connect(dsn(url, application), autocommit=autocommit, prepare_threshold=None)
        try:
            _check_version(connection)
            connection.execute(SETTLE_SESSION)
            if not autocommit:
                connection.commit()
            with registered(connection):
                yield connection
        finally:
            connection.close()


def dsn(url: str, application: str) -> str:
    """The connection string with our defaults; what it sets itself, also in its `options`, wins.

    Raises:
        ConfigurationError: it is not a connection string.
    """
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
    }
    options = [*(f"-c {name}={value}" for name, value in SESSION.items()), str(given.pop("options", ""))]
    return make_conninfo(**{**defaults, **given, "options": " ".join(options).strip()})


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
    text = exc.diag.message_primary or _first_line(str(exc))
    is_away = isinstance(exc, psycopg.OperationalError)
    return error_of(exc.sqlstate or "", text, is_away=is_away, kind=type(exc).__name__)


def error_of(state: str, text: str, *, is_away: bool, kind: str) -> CauriError:
    """What an SQLSTATE means to the caller; without one, `is_away` tells a lost connection, `kind` what else it was."""
    if state.startswith(_CONFIGURATION) or _is_refused_login(text):
        return ConfigurationError(
            f"the database refused the login: {text}",
            remedy="check user, password and database in CAURI_DATABASE_URL",
            sqlstate=state,
        )
    # Some files it writes itself report what the system said, as an error of input and output.
    if state == "53100" or "No space left on device" in text:
        return TransientTargetError(
            f"the database server's disk is full: {text}",
            remedy="free space on the server, then run the same command again: what was committed is skipped",
            sqlstate=state,
        )
    if state in _LOCKS:
        return LockBusyError(
            f"a lock was not had in time: {text}",
            remedy="see who holds it (pg_stat_activity, pg_locks), then run the same command again: what is committed"
            " is skipped",
            sqlstate=state,
        )
    if state == "25006":
        return TargetError("the database is read-only", remedy="connect to the primary, as a role that may write")
    if state.startswith(_TRANSIENT) or (not state and is_away):
        return TransientTargetError(
            f"the database is away or busy: {text}",
            remedy="see that it runs and can be reached, then run the same command again: what is committed is skipped",
            sqlstate=state,
        )
    return TargetError(f"PostgreSQL refused ({state or kind}): {text}", sqlstate=state)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"


def _is_refused_login(text: str) -> bool:
    # A failed connection carries no SQLSTATE, only the server's words.
    return "authentication failed" in text or ("FATAL" in text and "does not exist" in text) or "no password" in text
