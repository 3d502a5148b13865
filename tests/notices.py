"""What the server says while it works, down to debug1."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from warehouse.connection import Connection


@contextmanager
def notices(connection: Connection) -> Iterator[list[str]]:
    """Lines that the server sends to this session within the block: `partition constraint ... is implied`, say."""
    said: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        said.append(notice.message_primary or "")

    connection.add_notice_handler(hear)
    connection.execute("SET client_min_messages = debug1")
    try:
        yield said
    finally:
        connection.execute("RESET client_min_messages")
        connection.remove_notice_handler(hear)
