"""Connections that serve one piece of work after another.

A new session reads the catalog, and plans, from nothing: a leaf on one of its own cost the server 20 ms more.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from warehouse.connection import Connection, connect


class Pool:
    """Connections that nobody uses at the moment. Who asks for one while there is none opens another."""

    def __init__(self) -> None:
        self._idle: list[tuple[str, Connection, ExitStack]] = []
        self._lock = threading.Lock()

    @contextmanager
    def connection(self, url: str, application: str) -> Iterator[Connection]:
        """A connection for the length of a `with` block; one whose work failed is closed. Settings must be local.

        Raises: as `warehouse.connection.connect`.
        """
        connection, closing = self._take(url) or _opened(url, application)
        with closing:
            connection.execute("SELECT set_config('application_name', %s, false)", (application,))
            yield connection
            self._put(url, connection, closing.pop_all())

    def close(self) -> None:
        """Close the connections that are not in use; those that are stay in the pool afterwards."""
        while taken := self._take():
            taken[1].close()

    def _take(self, url: str | None = None) -> tuple[Connection, ExitStack] | None:
        with self._lock:
            for place, (other, connection, closing) in enumerate(self._idle):
                if url in (None, other):
                    del self._idle[place]
                    return connection, closing
        return None

    def _put(self, url: str, connection: Connection, closing: ExitStack) -> None:
        with self._lock:
            self._idle.append((url, connection, closing))


def _opened(url: str, application: str) -> tuple[Connection, ExitStack]:
    closing = ExitStack()
    return closing.enter_context(connect(url, application=application)), closing
