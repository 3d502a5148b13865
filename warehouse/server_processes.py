"""The local server's processes: whether they answer, and what a crash left of them."""

import time
from pathlib import Path

import psutil
from psycopg.pq import PGconn, Ping

from warehouse.errors import TransientTargetError
from warehouse.server_home import PORT, ServerHome

_RETRY_SECONDS = 0.05
_ANSWER_SECONDS = 5


def accepts(place: ServerHome) -> bool:
    """Whether the server accepts connections, which it may do while all of them are taken."""
    return PGconn.ping(f"{place.url}&connect_timeout={_ANSWER_SECONDS}".encode()) == Ping.OK


def server_processes(place: ServerHome) -> list[psutil.Process]:
    # Each process of a server works in its data folder. The pid file cannot tell: after a kill another program may
    # have that pid, often so in containers, where the numbers start anew.
    found = psutil.process_iter(["name", "cwd"])
    return [p for p in found if p.info["name"] in {"postgres", "postmaster"} and p.info["cwd"] == str(place.data)]


def comes_back(place: ServerHome, *, timeout: float) -> bool:
    """Wait for a server that another start, a stop or a crash left half-way: it accepts, or it is gone."""
    deadline = time.monotonic() + timeout
    while not accepts(place):
        processes = server_processes(place)
        if not processes:
            _forget_postmaster(place)
            return False
        if _pid(place.data / "postmaster.pid") not in {process.pid for process in processes}:
            # Their postmaster was killed, and a new one must not start beside them: they share its memory.
            _terminate(processes)
        if time.monotonic() > deadline:
            raise TransientTargetError(
                f"a server runs in {place.data} but accepts no connections after {timeout:.0f} s",
                remedy=f"read {place.log}; it may be replaying its log after a crash: call again later",
                pids=[process.pid for process in processes],
            )
        time.sleep(_RETRY_SECONDS)
    return True


def _terminate(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue


def _forget_postmaster(place: ServerHome) -> None:
    # PostgreSQL overwrites stale pid files itself, unless another program has got the pid by now: then it refuses.
    for path in (place.data / "postmaster.pid", place.socket / f".s.PGSQL.{PORT}.lock"):
        pid = _pid(path)
        if pid is not None and psutil.pid_exists(pid):
            path.unlink(missing_ok=True)


def _pid(path: Path) -> int | None:
    try:
        # The socket's lock file has the number negated while a stand-alone backend holds it.
        return abs(int(path.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None
