"""The process, or the server, is killed at any instant; the same command again finishes the work."""

import random
import signal
import time
from pathlib import Path

import psycopg
import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.faults.killing import kill_server
from tests.integration.test_load import assert_summary_agrees
from tests.loading import cauri, cauri_process, load, sample_folder, state
from warehouse.server import LocalServer

PLAN = SamplePlan(rows=12_000, months=3, dirty_share=0.01, duplicate_share=0.02, update_share=0.03)
SEED = 20240115
# After which line of progress the process dies, and within how many seconds.
INSTANTS = (
    ("1 Discover", 0.2),
    ("1 Discover", 0.4),
    ("2 Read", 0.3),
    ("4 Dimensions", 0.1),
    ("4 Dimensions", 0.15),
    ("5 Plan", 0.1),
    ("5 Plan", 0.2),
    ("6 Load", 0.05),
)


@pytest.fixture(scope="module")
def expected(template_database: tuple[str, str]) -> dict[str, str]:
    """The state after an undisturbed load."""
    with copied_database(*template_database) as url:
        load(sample_folder(PLAN), url)
        return state(url)


def killed_after(line: str, delay: float, url: str, home: Path) -> bool:
    """Whether the load was still running when it was killed."""
    with cauri_process("load", sample_folder(PLAN), url=url, home=home) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith(line):
                break
        time.sleep(delay)
        alive = process.poll() is None
        process.kill()
    return alive


def test_a_load_killed_at_many_instants_ends_as_if_undisturbed(
    database_url: str, tmp_path: Path, expected: dict[str, str]
) -> None:
    dice = random.Random(SEED)
    killed = 0
    for line, within in INSTANTS:
        killed += killed_after(line, dice.uniform(0, within), database_url, tmp_path)
    done = cauri("load", sample_folder(PLAN), "--quiet", url=database_url, home=tmp_path)
    assert killed >= 3
    assert done.code in (0, 99), done.told
    assert state(database_url) == expected
    assert_summary_agrees(database_url)
    assert list((tmp_path / "work").iterdir()) == []
    assert cauri("load", sample_folder(PLAN), url=database_url, home=tmp_path).code == 99


def test_an_interrupt_from_the_keyboard(database_url: str, tmp_path: Path, expected: dict[str, str]) -> None:
    with cauri_process("load", sample_folder(PLAN), url=database_url, home=tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("1 Discover")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not (tmp_path / "work").exists() or list((tmp_path / "work").iterdir()) == []
    load(sample_folder(PLAN), database_url)
    assert state(database_url) == expected


def test_a_server_that_dies_under_a_load(server: LocalServer, tmp_path: Path, expected: dict[str, str]) -> None:
    with cauri_process("load", sample_folder(PLAN), url=server.url, home=tmp_path) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith("4 Dimensions"):
                break
        kill_server(server)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert "Traceback" not in err
    assert "run the same command again" in err
    server.start()
    done = cauri("load", sample_folder(PLAN), "--quiet", url=server.url, home=tmp_path)
    assert done.code == 0, done.told
    assert state(server.url) == expected
    with psycopg.connect(server.url) as connection:
        broken = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
    assert broken == (0,)
