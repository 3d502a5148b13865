"""What a figure was measured on: processor, cores, memory, versions."""

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from warehouse.machine import GIB, this_machine

PACKAGES = ("polars", "pyarrow", "pgpq", "psycopg", "adbc-driver-postgresql", "dataframely", "numpy")


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python and of what the load stands on."""
    found = {"python": platform.python_version()}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def processor() -> str:
    """The processor's name."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe(postgresql: str) -> str:
    """One line for people, with what else the machine has to do: the load average of the last five minutes."""
    machine = this_machine()
    busy = f"load average {os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{machine.cores} cores ({processor()}), {machine.memory_bytes / GIB:.0f} GiB, PostgreSQL {postgresql},"
        f" Python {platform.python_version()}, Polars {version('polars')}, {busy}"
    )
