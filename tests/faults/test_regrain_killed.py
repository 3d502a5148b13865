"""The manager, or the server, is killed while the grain of leaves changes; the same command again finishes the work."""

import pkgutil
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from partitions.changes import clear_leftovers
from partitions.grain import Grain
from tests.faults.crowd import Crowd, own_rows
from tests.faults.killing import instants, kill_server, kills, seconds_of, struck_at, told
from tests.faults.regraining import STEPS, regrain
from tests.faults.statements import AGGREGATE, ROWS_A_DAY
from tests.loading import execute, rows_of, value_of
from tests.partitioned import FEBRUARY, JANUARY, PAYMENTS, days, left_behind, make_table, rows_in, spans_of
from warehouse.connection import connect
from warehouse.errors import TransientTargetError
from warehouse.server import LocalServer

# A minute each on a machine that does nothing else; the limit is for those that hang.
pytestmark = pytest.mark.timeout(1800)

SEED = 20240115
KILLS = kills(25)
SERVER_KILLS = kills(20)

# A whole change takes about this long on two cores; most instants then lie within one.
LONGEST_SECONDS = 1.2

STATES = ([JANUARY, FEBRUARY], [*days(JANUARY), FEBRUARY])


def fill(url: str, rows_a_day: int = ROWS_A_DAY) -> None:
    with connect(url) as connection:
        make_table(connection, PAYMENTS, (JANUARY, FEBRUARY), rows_a_day=rows_a_day)


def other_grain(url: str) -> Grain:
    return Grain.DAY if spans_of(url, PAYMENTS) == STATES[0] else Grain.MONTH


def started(url: str, *steps: str) -> "subprocess.Popen[str]":
    """A change that has begun; it dies by itself at the given step."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.regraining", url, other_grain(url), *steps],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(url: str, grain: Grain) -> None:
    """As whoever was told 75 does: the same again."""
    for _ in range(50):
        with suppress(TransientTargetError):
            return regrain(url, grain)
        time.sleep(0.1)
    raise AssertionError("the lock of a killed run is held on")


def test_a_manager_killed_at_random_instants(database_url: str) -> None:
    dice, killed = random.Random(SEED), 0
    fill(database_url)
    with Crowd(database_url, rows_of(database_url, AGGREGATE)[0], readers=("point", "scan", "aggregate")) as crowd:
        for _ in range(4 * KILLS):
            if killed == KILLS:
                break
            process = started(database_url)
            time.sleep(dice.uniform(0, LONGEST_SECONDS))
            killed += process.poll() is None
            process.kill()
            process.communicate()
            assert spans_of(database_url, PAYMENTS) in STATES
        grain = other_grain(database_url)
        finish(database_url, grain)
    assert killed == KILLS
    assert crowd.wrong == []
    assert own_rows(database_url) == sorted(crowd.own)
    assert spans_of(database_url, PAYMENTS) == STATES[grain is Grain.DAY]
    assert left_behind(database_url) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_manager_killed_at_every_step(database_url: str, step: str) -> None:
    fill(database_url, 50)
    before = rows_in(database_url, PAYMENTS)
    process = started(database_url, step)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    # What comes last is dead after the commit.
    assert spans_of(database_url, PAYMENTS) == STATES[step == STEPS[-1]]
    assert rows_in(database_url, PAYMENTS) == before
    execute(database_url, "UPDATE dwh.payments SET note = 'written after the kill' WHERE client_key = 1")
    before = rows_in(database_url, PAYMENTS)
    finish(database_url, other_grain(database_url))
    assert (rows_in(database_url, PAYMENTS), left_behind(database_url)) == (before, [])


def test_clearing_without_another_change(database_url: str) -> None:
    fill(database_url, 50)
    before = rows_in(database_url, PAYMENTS)
    process = started(database_url)
    while not value_of(database_url, "SELECT to_regclass('staging.payments_aside') IS NOT NULL"):
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert left_behind(database_url) != []
    with connect(database_url) as connection:
        assert "staging.payments_aside" in clear_leftovers(connection, PAYMENTS)
        assert clear_leftovers(connection, PAYMENTS) == []
    assert (left_behind(database_url), rows_in(database_url, PAYMENTS)) == ([], before)


@pytest.fixture
def payments(server: LocalServer) -> list[Any]:
    """Rows of a table on the server."""
    fill(server.url, 200)
    execute(server.url, "CHECKPOINT")
    return rows_in(server.url, PAYMENTS)


def assert_finished(url: str, before: list[Any]) -> None:
    """Nothing is lost or doubled as the server left it; the same command again does the work, and leaves nothing."""
    assert rows_in(url, PAYMENTS) == before
    grain = other_grain(url)
    finish(url, grain)
    assert rows_in(url, PAYMENTS) == before
    assert spans_of(url, PAYMENTS) == STATES[grain is Grain.DAY]
    assert left_behind(url) == []


def test_a_server_that_dies_at_every_step(server: LocalServer, payments: list[Any]) -> None:
    for step in STEPS:
        spans, original = spans_of(server.url, PAYMENTS), pkgutil.resolve_name(f"partitions.{step}")

        def death(*arguments: Any, original: Any = original, **named: Any) -> Any:
            kill_server(server)
            return original(*arguments, **named)

        with mock.patch(f"partitions.{step}", death), suppress(TransientTargetError):
            regrain(server.url, other_grain(server.url))
        server.start()
        # What comes last meets the end after the commit.
        assert (spans_of(server.url, PAYMENTS) == spans) == (step != STEPS[-1]), step
        assert_finished(server.url, payments)


@contextmanager
def overheard() -> Iterator[list[str]]:
    """The steps that a change of grain has begun."""
    begun = ["before the first step"]

    def telling(name: str) -> Any:
        original = pkgutil.resolve_name(f"partitions.{name}")

        def stand_in(*arguments: Any, **named: Any) -> Any:
            begun.append(name)
            return original(*arguments, **named)

        return stand_in

    with ExitStack() as patches:
        for name in STEPS:
            patches.enter_context(mock.patch(f"partitions.{name}", telling(name)))
        yield begun


def test_a_server_that_dies_at_any_instant(
    server: LocalServer, payments: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    longest = seconds_of(partial(regrain, server.url, Grain.DAY))
    struck, moments = list[str](), instants(SERVER_KILLS, longest, SEED)
    while len(struck) < SERVER_KILLS:
        grain = other_grain(server.url)
        with overheard() as begun:
            met = struck_at(server, next(moments), partial(regrain, server.url, grain))
        struck += begun[-1:] if met else []
        assert spans_of(server.url, PAYMENTS) in STATES
        assert rows_in(server.url, PAYMENTS) == payments
    assert_finished(server.url, payments)
    with capsys.disabled():
        sys.stdout.write(f"\nservers killed under {len(struck)} changes of grain: {told(struck)}\n")
