"""Eight readers and a writer who use `dwh.payments` while something is done to it, and how long they had to wait."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from tests.loading import rows_of

READERS = ("point 1", "point 2", "point 3", "scan 1", "scan 2", "aggregate", "late", "long")
EVERY_SECONDS = 0.004

_WAITING = """
SELECT l.pid, l.waitstart, extract(epoch FROM clock_timestamp() - l.waitstart)::float, a.application_name
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database() AND a.application_name LIKE 'crowd %'
"""


@dataclass
class Figures:
    """Seconds that the server says readers waited for a lock, and that they saw a statement take."""

    waits: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def line(self, title: str) -> str:
        waited = percentile(self.waits, len(self.latencies))
        figures = {
            "lock wait p99.9": waited,
            "lock wait max": max(self.waits, default=0.0),
            "latency p50": percentile(self.latencies, len(self.latencies), 0.5),
            "latency p99.9": percentile(self.latencies, len(self.latencies)),
            "latency max": max(self.latencies, default=0.0),
        }
        told = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in figures.items())
        return f"{title}: {len(self.latencies):,} reads, {len(self.waits)} waits; {told}"


def percentile(values: list[float], population: int, share: float = 0.999) -> float:
    """Of `population` values, of which those not given are zero."""
    rank = int(population * (1 - share))
    ordered = sorted(values, reverse=True)
    return ordered[rank] if rank < len(ordered) else 0.0


class Crowd:
    """Starts the sessions; `with` ends them, and `figures` tells of a span of time."""

    def __init__(self, url: str, expected: Any, *, readers: Sequence[str] = READERS) -> None:
        self._url, self._expected, self._readers = url, expected, readers
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._sampler = threading.Thread(target=self._sample)
        self._done = threading.Event()
        # (process, begin of the wait) -> (last seen, seconds so far); of readers and of the writer.
        self._waits: dict[tuple[int, object], tuple[float, float]] = {}
        self.writer_waits: dict[tuple[int, object], float] = {}
        self.wrong: list[str] = []
        self.own: list[int] = []
        self._reads: list[tuple[float, float]] = []
        self.writes: list[tuple[float, float]] = []

    def __enter__(self) -> "Crowd":
        for name in (*self._readers, "writer"):
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.session", name, self._url, json.dumps(self._expected)],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
        for process in self._processes.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.terminate()
        for name, process in self._processes.items():
            told = json.loads(process.communicate(timeout=60)[0])
            self.wrong += [f"{name}: {text}" for text in told["wrong"]]
            (self.writes if name == "writer" else self._reads).extend(map(tuple, told["reads"]))
            self.own += told["own"]
        self._done.set()
        self._sampler.join()

    def _sample(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._done.is_set():
                seen = time.monotonic()
                for pid, began, seconds, name in connection.execute(_WAITING).fetchall():
                    if name == "crowd writer":
                        self.writer_waits[pid, began] = seconds or 0.0
                    elif began is not None:
                        self._waits[pid, began] = (seen, seconds)
                time.sleep(EVERY_SECONDS)

    def figures(self, begins: float, ends: float) -> Figures:
        """Of the statements and waits in this span of `time.monotonic()`."""
        return Figures(
            [seconds for seen, seconds in self._waits.values() if begins <= seen < ends],
            [seconds for began, seconds in self._reads if begins <= began < ends],
        )


def own_rows(url: str) -> list[int]:
    """Ids of the writer's rows that are there."""
    return [
        number for (number,) in rows_of(url, "SELECT payment_id FROM dwh.payments WHERE client_key = -1 ORDER BY 1")
    ]
