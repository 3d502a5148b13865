"""What the containers of docker-compose.yml would run, run without containers."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "deploy" / "compose"


def make_secrets(folder: Path) -> Path:
    """The secrets of a stack of its own."""
    run_script("make-secrets.sh", str(folder))
    return folder


def run_script(name: str, *arguments: str, check: bool = True, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A script of deploy/compose, with these variables and no others of ours."""
    return run([str(COMPOSE / name), *arguments], variables, check=check)


def run(
    command: list[str], variables: Mapping[str, str] | None = None, *, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **(variables or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if check:
        assert done.returncode == 0, done.stderr
    return done
