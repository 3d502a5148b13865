"""The memory and cores this process may really use: the machine's, or the container's where that is less."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Machine:
    memory_bytes: int
    cores: int
    shared_memory_bytes: int | None = None
    """Size of /dev/shm, where there is one."""


def this_machine() -> Machine:
    memory = min([psutil.virtual_memory().total, *_limits("memory", "memory.max", "memory.limit_in_bytes")])
    return Machine(memory, max(1, min([_scheduled_cores(), *_core_limits()])), _shared_memory())


def _scheduled_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shared_memory() -> int | None:
    try:
        filesystem = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return None
    return filesystem.f_blocks * filesystem.f_frsize


def _limits(controller: str, *names: str) -> list[int]:
    """Every limit on the way from this process's group to the root; the least of them holds."""
    texts = [_text(folder / name) for folder in _groups(controller) for name in names]
    return [int(text) for text in texts if text.isdigit()]


def _core_limits() -> list[int]:
    cores = []
    for folder in _groups("cpu"):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            cores.append(-(-int(quota) // int(period)))
    return cores


def _groups(controller: str) -> list[Path]:
    folders = []
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CGROUPS / controller if controllers else _CGROUPS
        path = root / group.lstrip("/")
        folders += [folder for folder in (path, *path.parents) if folder.is_relative_to(root)]
    return folders


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
