"""The fixture `database_url`: a database of one's own, and gone afterwards."""

import psycopg
import pytest

from tests.database import copied_database, with_database


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_each_test_has_a_database_of_its_own(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE only_here AS SELECT 1")


def test_a_copy_is_dropped_under_a_connected_client(template_database: tuple[str, str]) -> None:
    server_url, _ = template_database
    with copied_database(*template_database) as url:
        name = url.split("/")[3].split("?")[0]
        left_open = psycopg.connect(url)

    with psycopg.connect(server_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    left_open.close()
    assert found == (0,)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql:///cauri?host=/a/b&user=c", "postgresql:///x?host=/a/b&user=c"),
        ("postgresql://u:p@h:5433/db", "postgresql://u:p@h:5433/x"),
        ("postgresql://h", "postgresql://h/x"),
    ],
)
def test_the_database_of_a_url(url: str, expected: str) -> None:
    assert with_database(url, "x") == expected
