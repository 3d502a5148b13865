"""A change of grain in a process of its own, to be killed: `python -m tests.faults.regraining URL GRAIN [STEP]`.

With a step, a function that `partitions.replace` calls, the process kills itself where that begins.
"""

import os
import signal
import sys
from typing import Any

from partitions import replace
from partitions.catalog import read_catalog
from partitions.exchanges import spans_of_grain
from partitions.grain import Grain
from partitions.regrain import change_grain
from tests.partitioned import JANUARY, PAYMENTS
from warehouse.connection import connect
from warehouse.lock import single_writer


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
        setattr(replace, step, die)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    regrain(sys.argv[1], Grain(sys.argv[2]))
