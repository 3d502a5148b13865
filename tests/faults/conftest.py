from collections.abc import Iterator

import pytest

from tests.faults.killing import own_server
from warehouse.server import LocalServer


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server of the test's own, to be killed."""
    with own_server() as started:
        yield started
