"""The tests' PostgreSQL: one throw-away server a session, one template, one copy of it a test."""

import importlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from warehouse.binaries import find_binaries
from warehouse.server import LocalServer
from warehouse.server_lock import exclusive
from warehouse.settings import read_settings

EXTERNAL_URL = "CAURI_TEST_DATABASE_URL"

# Set by the session that starts first: its xdist workers inherit it, and with it the server.
_SESSION_FOLDER = "CAURI_TEST_SESSION_FOLDER"
_PREFIX = "cauri-test-"
_LOCK_SECONDS = 120
_DISK, _MEMORY, _MEMORY_NEEDED = Path("/tmp"), Path("/dev/shm"), 6 * 1024**3


def build_template(url: str) -> None:
    """Fill the database that each test gets a copy of."""
    try:
        migrations = importlib.import_module("warehouse.migrations")
    except ModuleNotFoundError:
        return
    migrations.migrate(url)


def open_session() -> bool:
    """Make the session's folder; False if an outer process made it, which then closes it."""
    if _SESSION_FOLDER in os.environ:
        return False
    _sweep()
    folder = server_folder(f"{_PREFIX}{os.getpid()}-")
    os.environ[_SESSION_FOLDER] = str(folder)
    return True


def server_folder(prefix: str) -> Path:
    """A new folder for a throw-away server, in memory if there is enough.

    Each test makes the thousand files of a database and removes them again. A disk that tells its device of each file
    that is gone becomes slower at it with every test: from 0.1 s to 0.5 s for a database after sixty of them.
    """
    roomy = psutil.virtual_memory().available > 2 * _MEMORY_NEEDED
    in_memory = roomy and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if in_memory else _DISK))
    folder.chmod(0o711)  # the server's account passes through; its own folder below is private
    return folder


def close_session() -> None:
    """Stop the server or, on an external one, drop the template; remove the folder."""
    folder = Path(os.environ.pop(_SESSION_FOLDER))
    if (folder / "template").exists() and EXTERNAL_URL in os.environ:
        with psycopg.connect(os.environ[EXTERNAL_URL], autocommit=True) as connection:
            _drop(connection, (folder / "template").read_text())
    _remove(folder)


def template_database() -> tuple[str, str]:
    """The server's URL and the template's name; the first worker that asks makes both."""
    folder = Path(os.environ[_SESSION_FOLDER])
    with exclusive(folder / "lock", timeout=_LOCK_SECONDS):
        server_url = os.environ.get(EXTERNAL_URL) or _server(folder).start()
        made = folder / "template"
        if not made.exists():
            name = f"cauri_template_{secrets.token_hex(4)}"
            with psycopg.connect(server_url, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            build_template(with_database(server_url, name))
            made.write_text(name)
        return server_url, made.read_text()


@contextmanager
def copied_database(server_url: str, template: str) -> Iterator[str]:
    """The URL of a fresh copy of the template, dropped at the end whoever is still connected."""
    name = f"cauri_test_{secrets.token_hex(6)}"
    # 0.06 s; through the log, which is the default, 0.08.
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    # Not one connection for both: a test may kill the server in between.
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create)
    try:
        yield with_database(server_url, name)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            _drop(connection, name)


def with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{name}" + (f"?{parts.query}" if parts.query else "")


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _server(folder: Path) -> LocalServer:
    return LocalServer(folder / "home", find_binaries(read_settings()), throwaway=True)


def _remove(folder: Path) -> None:
    _server(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove what killed sessions left behind."""
    for folder in (one for place in (_DISK, _MEMORY) for one in place.glob(f"{_PREFIX}*")):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if folder.stat().st_uid == os.geteuid() and pid.isdigit() and not psutil.pid_exists(int(pid)):
            _remove(folder)
