"""Rounds of a load that is killed: what it works on, how it dies, and what must have come of it in the end."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sample.plan import SamplePlan
from tests.arrivals import sheets
from tests.database import copied_database
from tests.faults.killing import kill_server, told
from tests.integration.test_load import assert_summary_agrees
from tests.loading import cauri, environment, new_folder, rows_of, sample_folder, sealed, state, value_of
from warehouse.server import LocalServer

# Every feed, every dialect, every reason to refuse a row, in three leaves.
PLAN = SamplePlan(rows=3_000, months=3, dialect="mixed", dirty_share=0.02, duplicate_share=0.03, update_share=0.05)
PATIENCE_SECONDS = 120
# Whoever was told to try again later does so this often.
TRIES = 20

Command = Literal["load", "nightly"]
Victim = Literal["client", "server"]

ORPHANS = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'dwh_parts'::regnamespace AND relkind = 'r'"
    " AND NOT relispartition"
)
BROKEN_INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cauri%'"


@dataclass(frozen=True)
class Scene:
    """A command, its files, the database that each round gets a copy of, and the state that must come of it.

    `seconds` is how long the command takes undisturbed, here and now, from when its process has imported everything.
    """

    command: Command
    folder: Path
    template: tuple[str, str]
    expected: dict[str, str]
    seconds: float

    def arguments(self) -> list[str]:
        return arguments(self.command, self.folder)


def arguments(command: Command, folder: Path) -> list[str]:
    return [command, str(folder), *(["--settle", "0"] if command == "nightly" else [])]


@contextmanager
def scene(command: Command, template: tuple[str, str]) -> Iterator[Scene]:
    """A bulk load of a sample into an empty warehouse; or a night with half of its rows after one with the others."""
    if command == "load":
        yield undisturbed(command, sample_folder(PLAN), template)
        return
    folder = new_folder("nights") / "feeds"
    deal(sample_folder(PLAN), folder, "1")
    with copied_database(*template) as url:
        done = cauri(*arguments(command, folder), "--quiet", url=url)
        assert done.code == 0, done.told
        deal(sample_folder(PLAN), folder, "2")
        yield undisturbed(command, folder, (template[0], url.split("/")[3].split("?")[0]))


def deal(sample: Path, folder: Path, night: Literal["1", "2"]) -> None:
    """Half of the rows of each file of a sample, drawn with the same dice for both nights; services come first."""
    dice = random.Random("nights")
    for number, sheet in enumerate(sheets(sample)):
        halves = [dice.choice("12" if sheet.feed != "services" else "1") for _ in range(len(sheet))]
        chosen = [place for place, half in enumerate(halves) if half == night]
        sheet.write(folder, f"{night}_{number}", chosen)


def undisturbed(command: Command, folder: Path, template: tuple[str, str]) -> Scene:
    """Run the command twice as it should be, the first time to warm up; measure the second."""
    for _ in range(2):
        with copied_database(*template) as url, commanded(arguments(command, folder), url, new_folder("home")) as run:
            began = time.monotonic()
            run.go_on()
            _, err = run.process.communicate(timeout=PATIENCE_SECONDS)
            seconds = time.monotonic() - began
            assert run.process.returncode == 0, err
            expected = state(url) | sealed(url)
            assert_summary_agrees(url)
            assert {expected[name].split(" ")[0] for name in ("staging", "dirty")} == {"0"}
    return Scene(command, folder, template, expected, seconds)


@dataclass
class Run:
    """A command of `tests.faults.commanding` that waits for its line."""

    process: "subprocess.Popen[str]"

    def go_on(self) -> None:
        assert self.process.stdin is not None
        # It may be dead by now.
        with suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def is_held(self) -> bool:
        """Wait for the edge; False if the command came to its end without passing it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline() == "held\n"

    def ends_within(self, seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None

    def kill(self) -> bool:
        """SIGKILL for the process and its children; whether it was still running."""
        # Once it was waited for, its number may be somebody else's.
        alive = self.process.poll() is None
        if alive:
            os.killpg(self.process.pid, signal.SIGKILL)
        return alive

    def rest(self) -> tuple[str, str]:
        """What it says until it ends."""
        return self.process.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def commanded(arguments: list[str], url: str, home: Path, edge: str = "-", **variables: str) -> Iterator[Run]:
    """A command in a process group of its own, all imported and ready to go."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.commanding", edge, *arguments],
        env={**environment(url, home), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        run = Run(process)
        try:
            assert process.stdout is not None
            word = process.stdout.readline()
            assert word == "ready\n", run.rest()
            yield run
        finally:
            run.kill()


@dataclass
class Tally:
    """What happened in the rounds so far."""

    name: str
    rounds: int = 0
    struck: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def line(self) -> str:
        seconds = time.monotonic() - self.began
        return (
            f"{self.name}: {self.rounds} rounds, {len(self.struck)} deaths ({told(self.struck)}), {seconds:.0f} s,"
            " 0 differences"
        )


def step_of(err: str) -> str:
    """The step in which a run died, by its lines of progress: steps 2 and 3 end together, and 6 and 7."""
    ended = [int(word) for line in err.splitlines() if (word := line.split(" ", 1)[0]).isdigit()]
    following = max(ended, default=0) + 1
    return {2: "2-3", 6: "6-7", 10: "10 or end", 11: "end"}.get(following, str(following))


def die(scene: Scene, url: str, home: Path, seconds: float, server: LocalServer | None = None) -> str | None:
    """Run the command and kill it, or its `server`, after so long; return the step, None if it had ended before."""
    with commanded(scene.arguments(), url, home) as run:
        run.go_on()
        ended = run.ends_within(seconds)
        if server is None:
            run.kill()
        else:
            kill_server(server)
        _, err = run.rest()
        code = run.process.returncode
    if server is not None:
        server.start()
    if code == -signal.SIGKILL:
        return step_of(err)
    assert_clear_end(code, err, killed=server is not None and not ended)
    return step_of(err) if code == 75 else None


def assert_clear_end(code: int, err: str, *, killed: bool) -> None:
    """A run whose server died says that it may be run again, whatever it was doing."""
    # 99: the run before it had closed the files when it died.
    assert code in (0, 99) or (killed and code == 75), (code, err)
    assert "Traceback" not in err
    if code == 75:
        assert err.count("error:") == 1
        assert "->" in err


def finish(scene: Scene, url: str, home: Path) -> None:
    """Run the command again as a person does who is told 75: until it is done."""
    for _ in range(TRIES):
        wait_for_sessions_to_end(url)
        done = cauri(*scene.arguments(), "--quiet", url=url, home=home)
        if done.code != 75:
            break
    assert done.code in (0, 99), done.told


def wait_for_sessions_to_end(url: str) -> None:
    """The server notices a dead client when it next writes to it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while value_of(url, SESSIONS):
        assert time.monotonic() < deadline, "sessions of a dead client live on"
        time.sleep(0.02)


def assert_as_if_undisturbed(scene: Scene, url: str, home: Path, *, compared: bool = True) -> None:
    """The state is that of an undisturbed run, nothing is left over, and `cauri compare` finds no difference."""
    assert state(url) | sealed(url) == scene.expected
    assert rows_of(url, ORPHANS) == []
    assert rows_of(url, BROKEN_INDEXES) == []
    assert list((home / "work").iterdir()) == []
    if compared:
        done = cauri("compare", scene.folder, url=url, home=home)
        assert done.code == 0, done.told
