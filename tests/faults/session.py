"""One session of the crowd, a process of its own: `python -m tests.faults.session KIND URL EXPECTED`.

It reads or writes `dwh.payments` until it gets SIGTERM, and then prints what it saw as one JSON object. Readers check
that rows with `client_key >= 0` are all there, each once; the writer changes notes of those, and rows of its own.
"""

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.faults import statements

stopping = False


def stop(*_: object) -> None:
    global stopping  # noqa: PLW0603 - a signal handler has no other way to tell
    stopping = True


class Session:
    """Statements with the time that each took, and what went wrong."""

    def __init__(self, url: str, expected: tuple[int, int], name: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, application_name=f"crowd {name}")
        self.expected = expected
        self.dice = random.Random(name)
        self.reads: list[tuple[float, float]] = []
        self.wrong: list[str] = []
        self.own: set[int] = set()

    def timed(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        began = time.monotonic()
        row = self.connection.execute(statement, values).fetchone()
        self.reads.append((began, time.monotonic() - began))
        return row

    def check(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self.wrong.append(f"{what}: found {found}, expected {expected}")

    def aggregate(self) -> None:
        self.check("aggregate", self.timed(statements.AGGREGATE), self.expected)


def point(session: Session) -> None:
    day, number = session.dice.randint(1, 28), session.dice.randint(1, statements.ROWS_A_DAY)
    key = 20240100 + session.dice.choice((0, 100)) + day
    session.check("point", session.timed(statements.POINT, (key, key * 1_000_000 + number)), (number * 7,))
    time.sleep(0.004)


def scan(session: Session) -> None:
    first = session.dice.randint(1, 20)
    found = session.timed(statements.SCAN, (20240100 + first, 20240100 + first + 6))
    session.check("scan", found, (7 * statements.ROWS_A_DAY,))
    time.sleep(0.01)


def aggregate(session: Session) -> None:
    session.aggregate()
    time.sleep(0.03)


def long(session: Session) -> None:
    """A transaction of some seconds that goes on reading."""
    with session.connection.transaction():
        ends = time.monotonic() + session.dice.uniform(2, 4)
        while time.monotonic() < ends and not stopping:
            session.aggregate()
            time.sleep(0.1)
    time.sleep(session.dice.uniform(0.2, 1))


def late(session: Session) -> None:
    """A transaction of one snapshot that touches the table only a while after it took it."""
    session.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with session.connection.transaction():
        session.connection.execute("SELECT count(*) FROM ops.run")
        time.sleep(0.3)
        session.aggregate()
    time.sleep(session.dice.uniform(0, 0.4))


def write(session: Session) -> None:
    dice, number = session.dice, len(session.reads)
    day = 20240100 + dice.choice((0, 100)) + dice.randint(1, 28)
    fixed = (day, day * 1_000_000 + dice.randint(1, statements.ROWS_A_DAY))
    match number % 4:
        case 0:
            session.timed(statements.INSERT, (number, day))
            session.own.add(number)
        case 1:
            session.timed(statements.UPDATE, (f"note {number}", *fixed))
        case 2:
            # Also to the other month, and so to another leaf.
            session.timed(statements.MOVE, (day, dice.choice(sorted(session.own))))
        case 3 if len(session.own) > 50:
            gone = dice.choice(sorted(session.own))
            session.timed(statements.DELETE, (gone,))
            session.own.discard(gone)
        case _:
            session.timed(statements.UPDATE, (None, *fixed))
    time.sleep(0.003)


KINDS: dict[str, Callable[[Session], None]] = {
    "point": point,
    "scan": scan,
    "aggregate": aggregate,
    "long": long,
    "late": late,
    "writer": write,
}


def main() -> None:
    kind, url, expected = sys.argv[1:]
    signal.signal(signal.SIGTERM, stop)
    session = Session(url, tuple(json.loads(expected)), kind)
    tell("ready")
    while not stopping:
        try:
            KINDS[kind.partition(" ")[0]](session)
        except psycopg.Error as error:
            session.wrong.append(f"{type(error).__name__}: {error}")
            break
    tell(json.dumps({"reads": session.reads, "wrong": session.wrong, "own": sorted(session.own)}))


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
