"""`cauri` where the packages of the extra `ml` are not installed."""

import subprocess
import sys
from pathlib import Path

from tests.loading import environment

_WITHOUT_EXTRA = """
import sys
from importlib.machinery import PathFinder
find, extra = PathFinder.find_spec, {"xgboost", "sklearn", "lightgbm", "imblearn", "scipy", "plotly"}
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in extra else find(name, *rest)
from cli.main import main
sys.argv = ["cauri", *sys.argv[1:]]
main()
"""


def without_extra(url: str, home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, which does not find them."""
    command = [sys.executable, "-c", _WITHOUT_EXTRA, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(url, home))
