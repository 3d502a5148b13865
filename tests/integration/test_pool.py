"""Connections that serve one piece of work after another."""

import pytest

from tests.database import with_database
from warehouse.connection import Connection
from warehouse.errors import TargetError
from warehouse.pool import Pool


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


def test_a_connection_serves_again_under_another_name(database_url: str) -> None:
    pool = Pool()
    with pool.connection(database_url, "cauri first") as connection:
        first = backend(connection)
    with pool.connection(database_url, "cauri second") as connection:
        assert backend(connection) == first
        assert connection.execute("SHOW application_name").fetchone() == ("cauri second",)
    pool.close()
    assert connection.closed


def test_two_at_once_have_a_connection_each(database_url: str) -> None:
    pool = Pool()
    with pool.connection(database_url, "one") as one, pool.connection(database_url, "two") as two:
        assert backend(one) != backend(two)
    pool.close()
    assert one.closed
    assert two.closed


def test_a_connection_whose_work_failed_is_closed(database_url: str) -> None:
    pool = Pool()
    with pytest.raises(TargetError), pool.connection(database_url, "cauri") as failed:
        failed.execute("SELECT nothing_of_that_name")
    assert failed.closed
    with pool.connection(database_url, "cauri") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    pool.close()


def test_one_database_never_gets_the_connection_of_another(database_url: str) -> None:
    pool = Pool()
    with pool.connection(database_url, "cauri") as connection:
        first = connection.info.dbname
    with pool.connection(with_database(database_url, "postgres"), "cauri") as connection:
        assert connection.info.dbname != first
    pool.close()
