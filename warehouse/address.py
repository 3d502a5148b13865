"""Where the warehouse is: connection strings, with what each of our sessions begins with, or without what is secret."""

from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from warehouse.errors import ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10

# What a session speaks and how long it waits, whatever role and database say. Numbers and names of tables come back as
# text; under another isolation any statement may fail. Limits made for interactive work would end what takes its time:
# pg_dump lifts the same ones. Whoever holds a lock for longer than a minute keeps the run from going on for ever; it
# ends, and the next one finds what was committed.
SESSION = {
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read\\ committed",
    "client_min_messages": "warning",
    "lock_timeout": "60s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}


def dsn(url: str, application: str) -> str:
    """The connection string with our defaults; what it sets itself, also in its `options`, wins, but for the encoding.

    Raises:
        ConfigurationError: it is not a connection string.
    """
    given = _parsed(url)
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": application,
    }
    # Text is sent as it is, in binary form: under PGCLIENTENCODING=LATIN1 names would arrive as two characters for one.
    forced = {"client_encoding": "UTF8"}
    options = [*(f"-c {name}={value}" for name, value in SESSION.items()), str(given.pop("options", ""))]
    return make_conninfo(**{**defaults, **given, **forced, "options": " ".join(options).strip()})


def without_password(url: str) -> tuple[str, str | None]:
    """The connection string for where others can read it, such as a command line, and the password.

    Raises:
        ConfigurationError: it is not a connection string.
    """
    given = _parsed(url)
    password = given.pop("password", None)
    return make_conninfo(**given), None if password is None else str(password)


def _parsed(url: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            "CAURI_DATABASE_URL is not a PostgreSQL connection string",
            remedy="use the form postgresql://user:password@host:5432/database",
        ) from None


def place_of(url: str) -> tuple[str, str, str]:
    """Host, port and database to which a connection string leads, the first if it names several."""
    given = conninfo_to_dict(url)
    host, port = (str(given.get(name) or "").split(",")[0] for name in ("host", "port"))
    by_socket = not host or host.startswith("/")
    return "localhost" if by_socket else host, port or "5432", str(given.get("dbname") or "postgres")


def passwords_in(url: str) -> list[str]:
    """As they are written in a URL, and as they are meant, there or among keywords."""
    found: list[str | int | None] = []
    with suppress(ValueError):
        found.append(urlsplit(url).password)
    with suppress(psycopg.ProgrammingError):
        given = conninfo_to_dict(url)
        found += [given.get("password"), given.get("sslpassword")]
    return [form for one in found if one for form in (str(one), unquote(str(one)))]
