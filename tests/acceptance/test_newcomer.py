"""From nothing to figures and down again, as somebody would who has only read the README."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.loading import Done, environment

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A working directory that the server's account can enter."""
    path = Path(tempfile.mkdtemp(prefix="cauri-newcomer-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    run(path, "db", "stop")
    shutil.rmtree(path, ignore_errors=True)


def run(folder: Path, *arguments: object) -> Done:
    done = subprocess.run(
        [Path(sys.executable).with_name("cauri"), *map(str, arguments)],
        cwd=folder,
        env=environment(None, Path(".cauri")),
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_newcomer(folder: Path) -> None:
    made = run(folder, "sample", "--rows", 2000, "--months", 2, "--out", "mine")
    assert made.code == 0, made.told
    assert "Next: cauri load mine" in made.out

    loaded = run(folder, "load", "mine")
    assert loaded.code == 0, loaded.told
    assert "Rows by feed" in loaded.out
    assert "cauri status" in loaded.out
    assert [line for line in loaded.err.splitlines() if line.startswith("9 Reconcile and close")]

    again = run(folder, "load", "mine", "--json")
    assert again.code == 99, again.told
    assert again.json["status"] == "nothing"

    status = run(folder, "status", "--json")
    assert status.json["runs"][0]["read"] == sum(feed["read"] for feed in status.json["files"])

    equal = run(folder, "compare", "mine")
    assert (equal.code, equal.out) == (
        0,
        "Equal: the warehouse holds every day of the directory, to the last minor unit.\n",
    )

    query = "SELECT sum(transactions) FROM dwh.mv_daily_kpi"
    asked = run(folder, "db", "psql", "--", "-At", "-c", query)
    truth = json.loads((folder / "mine" / "truth.json").read_text())
    assert asked.out.strip() == str(truth["feeds"]["transactions"]["loaded"]), asked.err

    url = run(folder, "db", "url")
    assert re.fullmatch(r"postgresql://\S+\n", url.out)
    servers = [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    assert servers
    assert run(folder, "db", "stop").code == 0
    assert not psutil.wait_procs(servers, timeout=20)[1]
    assert run(folder, "db", "stop", "--json").json == {"status": "done", "server": "stopped", "url": None}

    # The data are still there, and the server comes back by itself.
    assert run(folder, "load", "mine").code == 99


def test_everything_stays_below_the_home(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} <= {".cauri", "mine"}


@pytest.mark.parametrize("closed_early", [["sql"], ["sql", "--list"]])
def test_a_reader_that_goes_early(folder: Path, closed_early: list[str]) -> None:
    command = [str(Path(sys.executable).with_name("cauri")), *closed_early]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert process.returncode in (0, 141)
