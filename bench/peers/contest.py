"""The peers by name, how each is started, and one round of one of them."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.peers import elt, keyed
from bench.peers.indexes import FACTS
from bench.peers.target import Target, digest_of, summary_digest_of
from bench.server import ROOT, Server

HERE = Path(__file__).parent
Work = Callable[[Server, str, Target], None]


@dataclass(frozen=True)
class Peer:
    """A way to fill the target, some with the daily `summary`. `slow` ones get fewer rows; `prepare` is not timed."""

    name: str
    work: Work
    slow: bool = False
    prepare: Callable[[str, Target], None] | None = None
    tables: tuple[str, ...] = (FACTS,)
    summary: bool = False

    def reached(self, url: str, target: Target) -> bool:
        """Whether the rows that it wrote are Cauri's."""
        same = digest_of(url, self.tables) == target.digest
        return same and (not self.summary or summary_digest_of(url) == target.summarised)


@dataclass(frozen=True)
class Finish:
    """Seconds that a peer took, and whether the target holds what Cauri's holds."""

    seconds: float
    same: bool


def run(peer: Peer, server: Server, target: Target) -> Finish:
    """One round in a fresh copy of the target."""
    url = target.copy(server)
    if peer.prepare:
        peer.prepare(url, target)
    started = time.perf_counter()
    peer.work(server, url, target)
    seconds = time.perf_counter() - started
    return Finish(seconds, peer.reached(url, target))


def install_scripts(pattern: str = "*") -> None:
    """Make the environments of the scripts, so that no round waits for that."""
    for script in sorted(HERE.glob(f"{pattern}.py")):
        if script.read_text().startswith("# /// script"):
            _uv("sync", "--quiet", "--script", str(script))


def _script(name: str, _server: Server, url: str, target: Target, options: tuple[str, ...] = ()) -> None:
    run_script(name, url, target.source, *options)


def run_script(name: str, *arguments: str | Path) -> str:
    """What a script of this folder prints, run in its own environment."""
    script = HERE / f"{name}.py"
    python = _uv("python", "find", "--script", str(script)).strip()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [python, script, *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _uv(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(["uv", *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


FLOOR = Peer("floor: two streams of `psql \\copy`, clean keyed rows", keyed.two_streams)
PEERS = (
    FLOOR,
    Peer("one stream of the same, live indexes", keyed.one_stream, prepare=keyed.make_indexes),
    Peer("ELT in SQL", elt.in_sql),
    Peer("ELT in SQL, and the daily summary", elt.in_sql_with_summary, summary=True),
    Peer("Polars `write_database`, ADBC", partial(_script, "polars_adbc")),
    Peer("dlt, Parquet by ADBC", partial(_script, "dlt_adbc"), tables=("dlt_peer.fact_transactions",)),
    Peer("DuckDB's postgres extension", partial(_script, "duckdb_postgres")),
    Peer("pygrametl, bulk fact table", partial(_script, "pygrametl_bulk"), slow=True),
    Peer(
        "pygrametl, its own `lookupasof`, and the daily summary",
        partial(_script, "pygrametl_dimensional"),
        slow=True,
        summary=True,
    ),
    Peer('pandas `to_sql(method="multi")`', partial(_script, "pandas_to_sql"), slow=True),
    Peer(
        "pandas, and the daily summary",
        partial(_script, "pandas_to_sql", options=("summary",)),
        slow=True,
        summary=True,
    ),
)
