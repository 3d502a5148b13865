"""Options and fixtures of the suite, and what its results say of the machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.machine import processor, versions
from bench.server import FOLDER, Server, running_server
from bench.sizes import rows_of
from bench.sources import Source
from warehouse.machine import this_machine


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much, and how often."""
    group = parser.getgroup("cauri")
    group.addoption("--rows", type=rows_of, default=rows_of("300k"), help="300k, 3m, 36m or a number; default 300k")
    group.addoption("--rounds", type=int, default=3, help="how often each is measured; default 3")


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Beside what the plug-in finds: cores and memory that may be used, and versions."""
    machine = this_machine()
    # The name of the machine is nobody's business, and its uptime differs each time.
    machine_info["node"] = ""
    machine_info |= {
        "processor_name": processor(),
        "cores": machine.cores,
        "memory_bytes": machine.memory_bytes,
        "versions": {**versions(), "postgresql": config.stash.get(POSTGRESQL, "")},
    }


POSTGRESQL = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The benchmark's server."""
    with running_server() as one:
        pytestconfig.stash[POSTGRESQL] = one.version
        yield one


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> int:
    """Transactions to read."""
    return int(pytestconfig.getoption("--rows"))


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """Measurements of each benchmark."""
    return int(pytestconfig.getoption("--rounds"))


@pytest.fixture(scope="session")
def folder_of(rows: int) -> Callable[..., Path]:
    """The files of a `Source` of that many rows, given its other fields."""
    return lambda **fields: Source(rows, **fields).folder(FOLDER)
