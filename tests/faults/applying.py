"""An apply in a process of its own, to be killed: `python -m tests.faults.applying URL HOME`.

It says `ready`, waits for a line, and then says the kind of each step before it is done.
"""

import sys
from pathlib import Path

from partitions.actions import Site
from partitions.apply import apply
from partitions.policy import read_policies
from warehouse.connection import connect
from warehouse.lock import single_writer

ZONE = "Africa/Abidjan"


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    url, home = sys.argv[1], Path(sys.argv[2])
    policies = read_policies(home / "policies.toml")
    tell("ready")
    sys.stdin.readline()
    with single_writer(url), connect(url) as connection:
        apply(Site(connection, url, ZONE, home / "archive"), policies, say=lambda step: tell(step.kind))
    tell("done")
