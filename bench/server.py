"""The benchmark's PostgreSQL: the local server as Cauri sets it up, in a folder of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from warehouse.binaries import find_binaries
from warehouse.connection import Connection, connect, sql
from warehouse.server import LocalServer
from warehouse.server_lock import exclusive
from warehouse.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
# Sources, the server and the history stay from one run to the next.
FOLDER = ROOT / ".cauri-bench"
_PATIENCE_SECONDS = 4 * 3600


@dataclass(frozen=True)
class Server:
    """A running server and the programs that talk to it."""

    url: str
    psql: Path
    folder: Path

    def fresh(self, name: str, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another one; what came before has been written out."""
        with connect(self.url) as connection:
            _drop(connection, name)
            if template is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            else:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                        sql.Identifier(name), sql.Identifier(template)
                    )
                )
            connection.execute("CHECKPOINT")
        return with_name(self.url, name)

    def drop(self, *names: str) -> None:
        """Remove databases, whoever is connected."""
        with connect(self.url) as connection:
            for name in names:
                _drop(connection, name)

    def run_psql(self, url: str, *statements: str) -> None:
        """Run statements, each a `-c` of its own, as a person at a shell would."""
        commands = [part for statement in statements for part in ("-c", statement)]
        environment = {**os.environ, "PGOPTIONS": "-c timezone=UTC -c client_min_messages=warning"}
        subprocess.run([self.psql, "-q", "-X", "-v", "ON_ERROR_STOP=1", url, *commands], check=True, env=environment)

    @property
    def version(self) -> str:
        """PostgreSQL's version, such as `18.6`."""
        with connect(self.url) as connection:
            return str(connection.info.server_version // 10_000) + "." + str(connection.info.server_version % 10_000)


def with_name(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl().replace("postgresql:/", "postgresql:///", 1)


@contextmanager
def running_server(folder: Path = FOLDER) -> Iterator[Server]:
    """Start the server of a folder, and stop it at the end; other benchmarks of the same folder wait meanwhile."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # The server's account passes through; its own folder below is private.
    folder.chmod(0o711)
    local = LocalServer(folder, find_binaries(Settings(home=folder)))
    # Two at once would measure each other, and the first to end would stop the other's server.
    with exclusive(folder / "bench.lock", timeout=_PATIENCE_SECONDS):
        url = local.start()
        try:
            yield Server(url, Path(local.psql_command()[0]), folder)
        finally:
            local.stop()


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
