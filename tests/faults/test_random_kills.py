"""Bulk and nightly loads whose process, or whose server, dies at random instants and at every step: run again, done.

`CAURI_TEST_KILLS=100` (`just faults`) makes a hundred rounds of each; `CAURI_TEST_SEED` draws other instants.
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine.steps import STEPS
from tests.database import copied_database
from tests.faults.killing import instants, kill_server, kills, own_server
from tests.faults.rounds import (
    Command,
    Scene,
    Tally,
    Victim,
    assert_as_if_undisturbed,
    assert_clear_end,
    commanded,
    die,
    finish,
    scene,
)
from tests.loading import execute
from warehouse.server import LocalServer

SEED = int(os.environ.get("CAURI_TEST_SEED", "20240115"))
ROUNDS = kills(4)
# In so many of the rounds the run that should finish the work dies, too.
DIES_TWICE = 1 / 3
COMPARED_EVERY = 4

# A bulk load has no step 10; this night, whose months have leaves, has no step 7. Without the variable some are tried.
EDGES = [(command, kind, step) for command in ("load", "nightly") for step in STEPS for kind in ("begin", "end")]
EDGES = [edge for edge in EDGES if (edge[0], edge[2]) not in (("load", 10), ("nightly", 7))]


class Stage:
    """The scenes that a module needs, each set when it is first asked for."""

    def __init__(self, template: tuple[str, str], stack: ExitStack, server: LocalServer | None = None) -> None:
        self.template, self.server = template, server
        self._stack, self._scenes = stack, dict[Command, Scene]()

    def scene(self, command: Command) -> Scene:
        if command not in self._scenes:
            self._scenes[command] = self._stack.enter_context(scene(command, self.template))
        return self._scenes[command]

    @contextmanager
    def copy(self, scene: Scene) -> Iterator[str]:
        with copied_database(*scene.template) as url:
            # PostgreSQL copies of a sequence what it has given out, not what it has logged ahead: until the next
            # checkpoint, a crash makes it give out the same numbers again.
            execute(url, "CHECKPOINT")
            yield url


@pytest.fixture(scope="module")
def stages(template_database: tuple[str, str]) -> Iterator[Callable[[Victim], Stage]]:
    """For clients to die on the tests' server; for servers to die one of their own."""
    made = dict[Victim, Stage]()
    with ExitStack() as stack:

        def stage(victim: Victim) -> Stage:
            if victim not in made and victim == "client":
                made[victim] = Stage(template_database, stack)
            if victim not in made:
                server = stack.enter_context(own_server())
                name = server.url.split("/")[3].split("?")[0]
                made[victim] = Stage((server.url.replace(f"/{name}?", "/postgres?"), name), stack, server)
            return made[victim]

        yield stage


@pytest.mark.timeout(300 + 120 * ROUNDS)
@pytest.mark.parametrize("victim", ["client", "server"])
@pytest.mark.parametrize("command", ["load", "nightly"])
def test_at_random_instants(
    stages: Callable[[Victim], Stage],
    tmp_path: Path,
    command: Command,
    victim: Victim,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = stages(victim)
    scene, tally = stage.scene(command), Tally(f"{victim}s of cauri {command}")
    dice = random.Random(SEED)
    moments = instants(ROUNDS, scene.seconds, SEED)
    while tally.rounds < ROUNDS or not tally.struck:
        number, instant = tally.rounds, next(moments)
        deaths = [instant, dice.uniform(0, scene.seconds)][: 2 if dice.random() < DIES_TWICE else 1]
        home = tmp_path / str(number)
        with stage.copy(scene) as url:
            steps = [die(scene, url, home, seconds, stage.server) for seconds in deaths]
            finish(scene, url, home)
            try:
                # It follows from the state, and takes as long as all the rest.
                assert_as_if_undisturbed(scene, url, home, compared=number % COMPARED_EVERY == 0)
            except AssertionError:
                sys.stderr.write(f"round {number} of seed {SEED}: killed in {steps} after {deaths} s\n")
                raise
        tally.rounds += 1
        tally.struck += [step for step in steps if step]
    with capsys.disabled():
        sys.stdout.write(f"\n{tally.line()}\n")


@pytest.mark.parametrize(("command", "kind", "step"), EDGES if ROUNDS > 4 else EDGES[5::9])
@pytest.mark.parametrize("victim", ["client", "server"])
def test_at_the_edges_of_steps(
    stages: Callable[[Victim], Stage], tmp_path: Path, command: Command, kind: str, step: int, victim: Victim
) -> None:
    stage = stages(victim)
    scene = stage.scene(command)
    with stage.copy(scene) as url:
        with commanded(scene.arguments(), url, tmp_path, f"{kind} {step}") as run:
            run.go_on()
            assert run.is_held()
            if stage.server:
                kill_server(stage.server)
                run.go_on()
            else:
                assert run.kill()
            _, err = run.rest()
            code = run.process.returncode
        if stage.server:
            stage.server.start()
            assert_clear_end(code, err, killed=True)
        finish(scene, url, tmp_path)
        assert_as_if_undisturbed(scene, url, tmp_path)
