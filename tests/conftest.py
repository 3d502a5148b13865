from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import database
from warehouse.connection import Connection, connect

if TYPE_CHECKING:
    from tests import scoring

# No test fails because a machine is slow.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_opened = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_opened] = database.open_session()


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(_opened, False):
        database.close_session()


@pytest.fixture(scope="session")
def template_database() -> tuple[str, str]:
    return database.template_database()


@pytest.fixture
def database_url(template_database: tuple[str, str]) -> Iterator[str]:
    """A migrated database of the test's own."""
    with database.copied_database(*template_database) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """To a migrated database of the test's own."""
    with connect(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def trained_warehouse(template_database: tuple[str, str]) -> "Iterator[scoring.Trained]":
    """A loaded warehouse and a champion, for `scoring.copied`."""
    # A second that tests without a model do not need.
    from tests import scoring  # noqa: PLC0415

    with scoring.trained(*template_database) as one:
        yield one


@pytest.fixture(scope="session")
def analysed_warehouse(trained_warehouse: "scoring.Trained") -> "Iterator[scoring.Scoring]":
    """A warehouse with labels, scores and segments, for tests that only read."""
    from tests import analysed  # noqa: PLC0415

    with analysed.analysed(trained_warehouse) as one:
        yield one
