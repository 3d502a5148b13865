"""The process, or the server, is killed at any instant; the same command again finishes the work."""

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.integration.test_load import assert_summary_agrees
from tests.loading import cauri, cauri_process, load, sample_folder, state, value_of
from warehouse.binaries import find_binaries
from warehouse.migrations import migrate
from warehouse.server import LocalServer
from warehouse.settings import read_settings

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


@pytest.fixture
def server() -> Iterator[LocalServer]:
    folder = Path(tempfile.mkdtemp(prefix="cauri-killed-", dir="/tmp"))
    folder.chmod(0o711)
    server = LocalServer(folder / "home", find_binaries(read_settings()), throwaway=True)
    migrate(server.start())
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_dies_under_a_load(server: LocalServer, tmp_path: Path, expected: dict[str, str]) -> None:
    pid_file = value_of(server.url, "SELECT current_setting('data_directory')") + "/postmaster.pid"
    with cauri_process("load", sample_folder(PLAN), url=server.url, home=tmp_path) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith("4 Dimensions"):
                break
        postmaster = psutil.Process(int(Path(pid_file).read_text().split()[0]))
        children = postmaster.children()
        postmaster.kill()
        for child in children:
            child.kill()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert "Traceback" not in err
    assert "run the same command again" in err
    psutil.wait_procs([postmaster, *children], timeout=30)
    server.start()
    done = cauri("load", sample_folder(PLAN), "--quiet", url=server.url, home=tmp_path)
    assert done.code == 0, done.told
    assert state(server.url) == expected
    with psycopg.connect(server.url) as connection:
        broken = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
    assert broken == (0,)
