"""A change of grain in a process of its own, to be killed: `python -m tests.faults.regraining URL GRAIN [STEP]`.

With one of `STEPS` the process kills itself where that begins.
"""

import os
import signal
import sys
from importlib import import_module
from typing import Any

from partitions.catalog import read_catalog
from partitions.exchanges import spans_of_grain
from partitions.grain import Grain
from partitions.regrain import change_grain
from tests.partitioned import JANUARY, PAYMENTS
from warehouse.connection import connect
from warehouse.lock import single_writer

# Functions that a change of grain calls one after the other, by module; the last after its commit.
STEPS = (
    "replace.capture",
    "replace.build",
    "replace.until_short",
    "replace.verified",
    "replace.swap",
    "swap._exchange",
    "swap.attach_one",
    "swap.dropping_aside",
    "swap.evolve",
)


def regrain(url: str, grain: Grain) -> None:
    with connect(url) as connection:
        table = read_catalog(connection, [PAYMENTS], "UTC").tables[PAYMENTS.name]
    leaves = [leaf for leaf in table.leaves if leaf.span and JANUARY.covers(leaf.span)]
    with single_writer(url):
        change_grain(url, PAYMENTS, leaves, spans_of_grain(leaves, grain, table.leaves), "UTC")


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for step in sys.argv[3:]:
        module, name = step.split(".")
        setattr(import_module(f"partitions.{module}"), name, die)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    regrain(sys.argv[1], Grain(sys.argv[2]))
