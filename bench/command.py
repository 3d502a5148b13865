"""The `cauri` command as a user runs it, in a process of its own, against a database of the benchmark's server."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def with_name(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl().replace("postgresql:/", "postgresql:///", 1)


def initialise(url: str, home: Path) -> None:
    """Make a database a warehouse."""
    _run(url, home, "init")


def run_timed(url: str, home: Path, *arguments: str | Path) -> dict[str, Any]:
    """Run a command; its summary with the seconds that the process took, as `wall`."""
    started = time.perf_counter()
    printed = _run(url, home, *arguments, "--json", "--quiet")
    wall = time.perf_counter() - started
    return {**json.loads(printed), "wall": wall}


def _run(url: str, home: Path, *arguments: str | Path) -> bytes:
    # Where Python may not keep compiled modules, each start compiles them all again: that is no part of a load.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "CAURI_DATABASE_URL": url,
        "CAURI_HOME": str(home),
        "CAURI_PSEUDONYM_KEY": "A" * 44,
        "CAURI_VAULT_KEY": "B" * 44,
    }
    cauri = Path(sys.executable).parent / "cauri"
    return subprocess.run([cauri, *arguments], env=environment, check=True, stdout=subprocess.PIPE).stdout
