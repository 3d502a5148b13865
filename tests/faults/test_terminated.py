"""SIGTERM, as a service manager sends it: the load ends with 75, its record says so, and the next one goes on."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import cauri, cauri_process, load, rows_of, sample_folder, state, value_of

PLAN = SamplePlan(rows=12_000, months=3, dirty_share=0.01, duplicate_share=0.02, update_share=0.03)
# One leaf, whose COPY takes long enough to be seen.
LARGE = SamplePlan(rows=250_000, months=1)
PATIENCE_SECONDS = 60

COPIES = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database() AND bytes_processed > 0"
WAITING_LEAVES = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'cauri fact%' AND wait_event_type = 'Lock'"
)
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cauri%'"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def terminated(process: "subprocess.Popen[str]") -> str:
    """Send SIGTERM twice, as `uv run` below a service manager does; return what the command says."""
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 75, err
    assert "Stopped by SIGTERM" in err
    assert "Traceback" not in err
    return err


@contextmanager
def expected_state(template: tuple[str, str], plan: SamplePlan) -> Iterator[dict[str, str]]:
    with copied_database(*template) as url:
        load(sample_folder(plan), url)
        yield state(url)


def assert_the_next_run_finishes(url: str, home: Path, template: tuple[str, str], plan: SamplePlan) -> None:
    wait_until(lambda: value_of(url, SESSIONS) == 0)
    done = cauri("load", sample_folder(plan), "--quiet", url=url, home=home)
    assert done.code == 0, done.told
    assert list((home / "work").iterdir()) == []
    with expected_state(template, plan) as expected:
        assert state(url) == expected


@pytest.mark.parametrize("step", ["1 Discover", "2 Read", "4 Dimensions", "5 Plan", "6 Load"])
def test_between_steps(database_url: str, template_database: tuple[str, str], tmp_path: Path, step: str) -> None:
    with cauri_process("load", sample_folder(PLAN), url=database_url, home=tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(step):
                break
        terminated(process)
    assert set(rows_of(database_url, "SELECT status FROM ops.run")) <= {("stopped",)}
    assert_the_next_run_finishes(database_url, tmp_path, template_database, PLAN)


def test_while_rows_are_copied(database_url: str, template_database: tuple[str, str], tmp_path: Path) -> None:
    with cauri_process("load", sample_folder(LARGE), "--quiet", url=database_url, home=tmp_path) as process:
        with psycopg.connect(database_url, autocommit=True) as watching:
            wait_until(lambda: watching.execute(COPIES).fetchone() != (0,))
        terminated(process)
    assert rows_of(database_url, "SELECT status FROM ops.run") == [("stopped",)]
    assert value_of(database_url, "SELECT count(*) FROM ops.leaf WHERE state = 'built'") == 0
    assert_the_next_run_finishes(database_url, tmp_path, template_database, LARGE)


def test_while_leaves_wait_for_a_lock(database_url: str, template_database: tuple[str, str], tmp_path: Path) -> None:
    """Statements of other threads are ended on the server, too: nothing of the run stays behind."""
    with (
        psycopg.connect(database_url) as other,
        cauri_process("load", sample_folder(PLAN), url=database_url, home=tmp_path) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("4 Dimensions"):
                break
        other.execute("LOCK TABLE ops.leaf IN SHARE ROW EXCLUSIVE MODE")
        wait_until(lambda: value_of(database_url, WAITING_LEAVES) > 0)
        terminated(process)
        wait_until(lambda: value_of(database_url, WAITING_LEAVES) == 0)
    assert rows_of(database_url, "SELECT status FROM ops.run") == [("stopped",)]
    assert_the_next_run_finishes(database_url, tmp_path, template_database, PLAN)
