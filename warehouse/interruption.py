"""Open connections of this process, so that a signal can end what other threads are waiting for."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

_CANCEL_SECONDS = 2.0
_PAUSE_SECONDS = 0.1

_guard = threading.Lock()
_open: dict[psycopg.Connection[Any], threading.Thread] = {}


@contextmanager
def registered(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Know a connection, and the thread that opened it, while it is in use."""
    with _guard:
        _open[connection] = threading.current_thread()
    try:
        yield
    finally:
        with _guard:
            del _open[connection]


class Interruption:
    """Ends statements of all threads but the main one, and of those that they begin later, until it is over."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def begin(self) -> None:
        """Begin, in a thread of its own: a signal handler must not wait."""
        threading.Thread(target=self._sweep, name="interruption", daemon=True).start()

    def end(self) -> None:
        """Leave connections alone again."""
        self._over.set()

    def _sweep(self) -> None:
        cut: set[int] = set()
        while not self._over.is_set():
            with _guard:
                for connection, thread in _open.items():
                    if thread is not threading.main_thread() and id(connection) not in cut:
                        _cut(connection)
                        cut.add(id(connection))
            self._over.wait(_PAUSE_SECONDS)


def _cut(connection: psycopg.Connection[Any]) -> None:
    # The server looks at a closed socket only when it reads or writes: what it is computing has to be cancelled first.
    with suppress(psycopg.Error, OSError):
        connection.cancel_safe(timeout=_CANCEL_SECONDS)
    # The thread may be between two statements: with its socket shut the next one fails, too.
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
