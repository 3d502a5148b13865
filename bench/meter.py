"""Core seconds of this process and of a local server's processes, and the memory that this process held at most."""

import re
import resource
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from bench.server import Server

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Reading:
    """Seconds since some moment: on the wall, of the client's cores, of the server's."""

    wall: float
    client: float
    server: float

    def since(self, before: "Reading") -> "Reading":
        return Reading(*(getattr(self, one.name) - getattr(before, one.name) for one in fields(self)))

    def idle(self, cores: int) -> float:
        """Core seconds in which neither worked. Other programs' work counts as idle, too."""
        return max(0.0, cores * self.wall - self.client - self.server)


class Meter:
    """Reads the clocks. The server's work includes its own: checkpoints, the log, autovacuum."""

    def __init__(self, server: Server) -> None:
        self._postmaster = _postmaster(server)

    def read(self) -> Reading:
        """The clocks now."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Reading(time.perf_counter(), usage.ru_utime + usage.ru_stime, self._server_seconds())

    def _server_seconds(self) -> float:
        while True:
            ended = self._ended_seconds()
            running = 0.0
            for child in self._postmaster.children():
                with suppress(psutil.NoSuchProcess):
                    running += _cpu_seconds(child)
            # A process that ended in between would be counted twice, or not at all.
            if self._ended_seconds() == ended:
                return ended + running

    def _ended_seconds(self) -> float:
        times = self._postmaster.cpu_times()
        return float(times.children_user + times.children_system)


def forget_peak() -> None:
    """Count the peak of this process's memory anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Most memory that this process held since `forget_peak`."""
    try:
        found = _PEAK.search(Path("/proc/self/status").read_text())
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cpu_seconds(process: psutil.Process) -> float:
    # Nanoseconds on a core; the times that psutil reads come in hundredths of a second, too coarse for short steps.
    with suppress(OSError):
        return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def _postmaster(server: Server) -> psutil.Process:
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] in {"postgres", "postmaster"}
        and "-D" in (process.info["cmdline"] or [])
        and any(str(server.folder) in word for word in process.info["cmdline"])
    ]
    if not found:
        raise SystemExit(f"error: no server of {server.folder} runs on this machine")
    return found[0]
