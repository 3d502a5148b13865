"""`cauri` of this checkout or of another revision, each with its own environment, as a process of its own."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import FOLDER, ROOT


@dataclass(frozen=True)
class Tree:
    """A checkout and the environment that its commands run in."""

    root: Path
    name: str
    environment: Path

    @property
    def home(self) -> Path:
        """Its `CAURI_HOME`."""
        return FOLDER / f"home-{self.name}"

    def init(self, url: str) -> None:
        """Make a database a warehouse."""
        self._run(url, "init")

    def timed(self, url: str, *arguments: str | Path) -> dict[str, Any]:
        """Run a command; the object that it prints, with the seconds that the process took, as `wall`."""
        started = time.perf_counter()
        printed = self._run(url, *arguments, "--json")
        wall = time.perf_counter() - started
        told: dict[str, Any] = json.loads(printed)
        return {**told, "wall": wall}

    def load(self, url: str, source: Path) -> dict[str, Any]:
        """`cauri load` of a folder into an empty database, which is made a warehouse first."""
        self.init(url)
        return self.timed(url, "load", source, "--quiet")

    def _run(self, url: str, *arguments: str | Path) -> bytes:
        # Where Python may not keep compiled modules, each start compiles them all again: that is no part of a load.
        kept = {name: value for name, value in os.environ.items() if name not in {*_FOREIGN, "PYTHONDONTWRITEBYTECODE"}}
        environment = kept | {
            "CAURI_DATABASE_URL": url,
            "CAURI_HOME": str(self.home),
            "CAURI_PSEUDONYM_KEY": "A" * 44,
            "CAURI_VAULT_KEY": "B" * 44,
        }
        command = [self.environment / "bin" / "cauri", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, check=True, stdout=subprocess.PIPE).stdout


# What `uv run` tells the processes it starts would send another tree's uv to this tree's environment.
_FOREIGN = frozenset({"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH"})

THIS = Tree(ROOT, "this", ROOT / ".venv")


def tree_of(revision: str) -> Tree:
    """A revision checked out below the benchmark's folder, with an environment of its own.

    Raises:
        SystemExit: git knows no such revision.
    """
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode != 0:
        raise SystemExit(f"error: git knows no revision {revision!r}: give a commit, a branch or a tag")
    commit = found.stdout.strip()
    root = FOLDER / "trees" / commit[:12]
    if not (root / "pyproject.toml").exists():
        shutil.rmtree(root, ignore_errors=True)
        _git("worktree", "prune").check_returncode()
        _git("worktree", "add", "--detach", str(root), commit).check_returncode()
    return _with_environment(root, commit[:12])


def this_tree() -> Tree:
    """This checkout, uncommitted changes included, in an environment without the tools of its developers.

    Each package that is installed costs a start some time, so that only alike environments can be compared.
    """
    return _with_environment(ROOT, "this")


def _with_environment(root: Path, name: str) -> Tree:
    place = FOLDER / "environments" / name
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    subprocess.run(["uv", "sync", "--quiet"], cwd=root, env={**kept, "UV_PROJECT_ENVIRONMENT": str(place)}, check=True)
    return Tree(root, name, place)


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
