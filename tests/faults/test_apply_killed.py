"""The manager is killed at every boundary of a step and at any instant; the next apply ends in the desired state."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest

from partitions.actions import ACTIONS, Site
from partitions.apply import apply, today_in
from partitions.grain import Grain
from partitions.policy import read_policies
from partitions.steps.step import Step
from tests.database import copied_database, with_database
from tests.faults.applying import ZONE
from tests.faults.killing import Killed, instants, kill_server, kills, places, seconds_of, struck_at, told
from tests.loading import cauri_process, execute, rows_of
from warehouse.connection import connect
from warehouse.errors import TransientTargetError
from warehouse.lock import single_writer
from warehouse.server import LocalServer

# A minute each on a machine that does nothing else; the limit is for those that hang.
pytestmark = pytest.mark.timeout(1800)

SEED = 20240515
INSTANTS = kills(50)
PARTS = min(5, INSTANTS)
SERVER_KILLS, SERVER_PARTS = kills(30), 4
# Most managers are still at work by then.
LONGEST_SECONDS = 0.5
BEFORE = "before the first step"
POLICIES = """
[[table]]
schema = "dwh"
table = "events"
key = "moment"
key_kind = "timestamptz"
unique = [["id"]]
premake = 2
retention = { months = 6 }
at_end = "archive"
[[table]]
schema = "dwh"
table = "marks"
key = "date_key"
grain = "week"
premake = 3
regrain = true
"""
# Leaves of ten months, of which the oldest are past; rows that are not frozen, an index missing, rights, rubbish.
ROWS_A_MONTH = 200


def months() -> list[date]:
    today = today_in(ZONE)
    return [Grain.MONTH.back(today, number) for number in range(10, 0, -1)]


def build(url: str) -> None:
    execute(
        url, "CREATE TABLE dwh.events (id bigint NOT NULL, moment timestamptz NOT NULL) PARTITION BY RANGE (moment)"
    )
    execute(url, "CREATE INDEX events_moment ON dwh.events (moment)")
    execute(url, "CREATE TABLE dwh.marks (date_key integer NOT NULL, id bigint) PARTITION BY RANGE (date_key)")
    with connect(url) as connection:
        for place, month in enumerate(months()):
            span = Grain.MONTH.span_of(month)
            if place == 4:
                continue  # a gap
            name = span.leaf_of("dwh.events")
            connection.execute(
                f"CREATE TABLE dwh_parts.{name} PARTITION OF dwh.events"
                f" FOR VALUES FROM ('{span.first} 00:00+00') TO ('{span.end} 00:00+00')"
            )
            connection.execute(
                f"INSERT INTO dwh.events SELECT {place} * 1000 + n, '{span.first} 12:00+00'::timestamptz"
                f" + n % 20 * interval '1 day' FROM generate_series(1, {ROWS_A_MONTH}) n"
            )
        last = Grain.MONTH.span_of(months()[-1])
        connection.execute(
            f"CREATE TABLE dwh_parts.{last.leaf_of('dwh.marks')} PARTITION OF dwh.marks"
            f" FOR VALUES FROM ({last.first_key}) TO ({last.end_key})"
        )
        connection.execute(f"INSERT INTO dwh.marks SELECT {last.first_key} + n % 28, n FROM generate_series(1, 500) n")
        newest = Grain.MONTH.span_of(months()[-2]).leaf_of("dwh.events")
        connection.execute(f"GRANT SELECT ON dwh_parts.{newest} TO PUBLIC")
        connection.execute(f"CREATE TABLE staging.{newest} (LIKE dwh.events)")


@pytest.fixture(scope="module")
def before(template_database: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The database that each test gets a copy of."""
    with copied_database(*template_database) as url:
        build(url)
        yield template_database[0], url.split("/")[3].split("?")[0]


@pytest.fixture
def url(before: tuple[str, str]) -> Iterator[str]:
    with copied_database(*before) as copy:
        yield copy


def policies_in(home: Path) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "policies.toml"
    path.write_text(POLICIES)
    return path


def apply_here(url: str, home: Path, say: Callable[[Step], None] = lambda step: None) -> int:
    """Run apply in this process; return how many steps were done."""
    policies = read_policies(policies_in(home))
    with single_writer(url), connect(url) as connection:
        applied = apply(Site(connection, url, ZONE, home / "archive"), policies, say=say)
    assert applied.failures == {}
    return len(applied.steps)


def die() -> None:
    raise Killed


def dies_at(url: str, home: Path, number: int, when: str, death: Callable[[], None] = die) -> bool:
    """Run apply in this process, and let death come before or after a step; False if it does not come that far."""
    steps = iter(range(1, 1000))

    def deadly(action: Callable[[Site, Any], None]) -> Callable[[Site, Any], None]:
        def stand_in(site: Site, step: Any) -> None:
            now = next(steps) == number
            if now and when == "before":
                death()
            action(site, step)
            if now and when == "after":
                death()

        return stand_in

    with mock.patch.dict("partitions.apply.ACTIONS", {kind: deadly(action) for kind, action in ACTIONS.items()}):
        try:
            apply_here(url, home)
        except (Killed, TransientTargetError):
            return True
    return False


def state(url: str) -> dict[str, object]:
    """All that a person could see, and what nobody should find."""
    leaves = rows_of(
        url,
        "SELECT inhrelid::regclass::text, inhdetachpending,"
        " (SELECT count(*) FROM pg_index WHERE indrelid = inhrelid AND indisvalid)"
        " FROM pg_inherits WHERE inhparent IN ('dwh.events'::regclass, 'dwh.marks'::regclass) ORDER BY 1",
    )
    return {
        "leaves": leaves,
        "archived": rows_of(url, "SELECT leaf, row_count FROM ops.archive WHERE state = 'dropped' ORDER BY 1"),
        "events": rows_of(url, "SELECT count(*), sum(id) FROM dwh.events"),
        "marks": rows_of(url, "SELECT count(*), sum(id), sum(date_key) FROM dwh.marks"),
        "staging": rows_of(url, "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"),
        "loose": rows_of(url, "SELECT relname FROM pg_class WHERE relnamespace = 'dwh_parts'::regnamespace"
                              " AND relkind = 'r' AND NOT relispartition ORDER BY 1"),
        "triggers": rows_of(url, "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'cauri%'"),
        "broken": rows_of(url, "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(before: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    with copied_database(*before) as url:
        apply_here(url, tmp_path_factory.mktemp("home"))
        found = state(url)
    assert found["archived"]
    assert found["staging"] == found["loose"] == found["triggers"] == found["broken"] == []
    return found


def assert_mended(url: str, home: Path, expected: dict[str, object]) -> None:
    apply_here(url, home)
    assert state(url) == expected
    assert apply_here(url, home) == 0


@pytest.mark.parametrize("part", places(range(4)))
def test_killed_at_every_step(
    before: tuple[str, str], tmp_path: Path, undisturbed: dict[str, object], part: int
) -> None:
    """Before the first step of the plan and after every second one from there; before the second one, and so on."""
    number, when = part // 2 + 1, ("before", "after")[part % 2]
    while True:
        with copied_database(*before) as url:
            home = tmp_path / f"home{number}"
            if not dies_at(url, home, number, when):
                break
            assert_mended(url, home, undisturbed)
        number += 2
    assert number > 10


def started(url: str, home: Path) -> "subprocess.Popen[str]":
    """A manager that has read its policies, and begins when it is told to."""
    # Not while the one before may be reading them.
    if not (home / "policies.toml").exists():
        policies_in(home)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.applying", url, str(home)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def let_go(process: "subprocess.Popen[str]", seconds: float) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    time.sleep(seconds)


def last_step(process: "subprocess.Popen[str]") -> str:
    """In which step a killed manager was; what it said last."""
    process.kill()
    said = process.communicate(timeout=60)[0].split("\n")
    return next((line for line in reversed(said) if line), BEFORE)


def killed_until_done(url: str, home: Path, dice: random.Random, most: int) -> list[str]:
    """Kill one manager after the other until one comes to its end first: what one leaves the next one finds."""
    struck: list[str] = []
    following = started(url, home)
    try:
        while len(struck) < most:
            # The next one imports its modules meanwhile.
            process, following = following, started(url, home)
            let_go(process, dice.uniform(0, LONGEST_SECONDS))
            step = last_step(process)
            if step == "done":
                break
            struck.append(step)
    finally:
        following.kill()
        following.communicate()
    return struck


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_instant(
    before: tuple[str, str],
    tmp_path: Path,
    undisturbed: dict[str, object],
    capsys: pytest.CaptureFixture[str],
    part: int,
) -> None:
    dice, struck, databases = random.Random(SEED + part), list[str](), 0
    while len(struck) < INSTANTS // PARTS:
        with copied_database(*before) as url:
            databases += 1
            home = tmp_path / f"home{databases}"
            struck += killed_until_done(url, home, dice, INSTANTS // PARTS - len(struck))
            assert_mended(url, home, undisturbed)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(struck)} managers of {databases} databases killed: {told(struck)}\n")


@pytest.fixture
def own(server: LocalServer) -> tuple[str, str]:
    """As `before`, on a server of the test's own."""
    build(server.url)
    return with_database(server.url, "postgres"), urlsplit(server.url).path.removeprefix("/")


@pytest.mark.parametrize("part", places(range(SERVER_PARTS)))
def test_a_server_that_dies_at_every_step(
    server: LocalServer, own: tuple[str, str], tmp_path: Path, undisturbed: dict[str, object], part: int
) -> None:
    """At the very beginning, and after each step; each part of the test takes some of these."""
    for number in range(part, 1000, SERVER_PARTS):
        when = (number, "after") if number else (1, "before")
        with copied_database(*own) as url:
            home = tmp_path / f"home{number}"
            if not dies_at(url, home, *when, lambda: kill_server(server)):
                break
            server.start()
            assert_mended(url, home, undisturbed)
    assert number > 10


def step_struck(server: LocalServer, url: str, home: Path, seconds: float) -> str | None:
    """In which step a manager was when its server was killed; None if it came to its end first."""
    steps = [BEFORE]
    met = struck_at(server, seconds, lambda: apply_here(url, home, lambda step: steps.append(step.kind)))
    return steps[-1] if met else None


def test_a_server_that_dies_at_any_instant(
    server: LocalServer,
    own: tuple[str, str],
    tmp_path: Path,
    undisturbed: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Again and again, until a manager comes to its end first: what one leaves the next one finds."""
    with copied_database(*own) as url:
        longest = seconds_of(partial(apply_here, url, tmp_path / "home"))
    struck, databases, moments = list[str](), 0, instants(SERVER_KILLS, longest, SEED)
    while len(struck) < SERVER_KILLS:
        databases += 1
        home = tmp_path / f"home{databases}"
        with copied_database(*own) as url:
            while len(struck) < SERVER_KILLS and (step := step_struck(server, url, home, next(moments))):
                struck.append(step)
            assert_mended(url, home, undisturbed)
    with capsys.disabled():
        sys.stdout.write(f"\nservers killed under {len(struck)} managers of {databases} databases: {told(struck)}\n")


def test_what_the_manager_says_when_its_server_dies(server: LocalServer, tmp_path: Path) -> None:
    build(server.url)
    home = tmp_path / "home"
    variables = {"CAURI_PARTITIONS": str(policies_in(home))}
    with cauri_process("partitions", "apply", url=server.url, home=home, variables=variables) as process:
        assert process.stderr is not None
        for _ in range(3):
            process.stderr.readline()
        kill_server(server)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (75, False), err
