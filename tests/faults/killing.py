"""Death at chosen and at random instants: of the run in this process, or of a server of the test's own."""

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psutil

from tests.database import server_folder
from warehouse.binaries import find_binaries
from warehouse.errors import TransientTargetError
from warehouse.migrations import migrate
from warehouse.server import LocalServer
from warehouse.settings import read_settings

KILLS = "CAURI_TEST_KILLS"
# Below that, CI is short of time.
FEWEST = 4
T = TypeVar("T")
_DEAD_SECONDS = 60


class Killed(BaseException):
    """Nobody catches this."""


def dying(original: Callable[..., Any], when: str, call: int) -> Callable[..., Any]:
    """The function, but the process dies before or after the call of this number."""
    calls = iter(range(1, 1000))

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        now = next(calls) == call
        if now and when == "before":
            raise Killed
        result = original(*args, **kwargs)
        if now:
            raise Killed
        return result

    return stand_in


@contextmanager
def own_server() -> Iterator[LocalServer]:
    """A migrated server that nobody else uses: `kill_server` kills it, and `start` brings it back."""
    folder = server_folder("cauri-killed-")
    server = LocalServer(folder / "home", find_binaries(read_settings()), throwaway=True)
    try:
        migrate(server.start())
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def kill_server(server: LocalServer) -> None:
    """SIGKILL for the postmaster and all of its children; return when none is left."""
    # Without a query: at this very instant.
    pid_file = server.home / "postgres" / "data" / "postmaster.pid"
    postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
    family = [postmaster, *postmaster.children()]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    deadline = time.monotonic() + _DEAD_SECONDS
    while not all(map(_is_dead, family)):
        assert time.monotonic() < deadline, "a killed server lives on"
        time.sleep(0.005)


def _is_dead(process: psutil.Process) -> bool:
    # Nobody need have asked for its exit code yet: some containers take seconds to do that.
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def struck_at(server: LocalServer, seconds: float, work: Callable[[], Any]) -> bool:
    """Kill the server when `work` has gone on for so long, in a thread, and start it again.

    Returns whether work met the end of it: an error that tells to run the same command again.
    """
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        wait([running], timeout=seconds)
        kill_server(server)
        error = running.exception()
    server.start()
    if error is not None and not isinstance(error, TransientTargetError):
        raise error
    return error is not None


def seconds_of(work: Callable[[], Any]) -> float:
    """How long work takes here and now: what `instants` are chosen within."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def kills(default: int) -> int:
    """How many things a test kills at random: the variable `CAURI_TEST_KILLS`, or `default`."""
    return int(os.environ.get(KILLS, default))


def places(all_of_them: Sequence[T]) -> Sequence[T]:
    """Where a test kills, one after the other: everywhere, or in a third of the places where few are to be killed."""
    return all_of_them[::3] if kills(FEWEST) < FEWEST else all_of_them


def instants(number: int, longest: float, seed: int) -> Iterator[float]:
    """Seconds at random within a run of `longest`: one in each of `number` equal parts of it, in any order.

    Then others, without an end: a run that is faster than `longest` is over before some of them.
    """
    dice = random.Random(seed)
    while True:
        found = [(part + dice.random()) * longest / number for part in range(number)]
        dice.shuffle(found)
        yield from found


def told(struck: list[str]) -> str:
    """How often death came in which step."""
    return ", ".join(f"{step} {times}" for step, times in Counter(struck).most_common())
