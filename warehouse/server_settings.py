"""The local server's settings, computed from the machine, for bulk loads beside a loader that needs memory too."""

from warehouse.machine import GIB, KIB, MIB, Machine

# Below this, parallel hash joins fail with "could not resize shared memory segment": Docker's /dev/shm is 64 MiB.
_LEAST_SHARED_MEMORY = 1 * GIB


def server_settings(machine: Machine, *, major: int, throwaway: bool = False) -> dict[str, str]:
    """Settings by name. `throwaway` is for tests: a crash of the machine destroys the data."""
    settings = _access() | _memory(machine) | _wal(machine) | _planner(machine) | _processes(machine) | _privacy()
    if machine.shared_memory_bytes is not None and machine.shared_memory_bytes < _LEAST_SHARED_MEMORY:
        settings["dynamic_shared_memory_type"] = "sysv"
    if major >= 18:
        # Readers of the asynchronous I/O that 18 brings; its default of 3 suits one query at a time.
        settings["io_workers"] = str(_clamp(machine.cores // 2, 3, 16))
    return settings | (_throwaway() if throwaway else {})


def log_settings(log_folder: str) -> dict[str, str]:
    return {
        "logging_collector": "on",
        "log_directory": log_folder,
        # One file a weekday, overwritten a week later: the log needs no other housekeeping.
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_file_mode": "0600",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }


def as_text(settings: dict[str, str]) -> str:
    """The settings as a configuration file."""
    lines = ["# Written by Cauri at each start; ALTER SYSTEM overrides it."]
    lines += [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    return "\n".join(lines) + "\n"


def _access() -> dict[str, str]:
    return {
        "listen_addresses": "",  # no TCP: the unix socket in a private directory is the only way in
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }


def _memory(machine: Machine) -> dict[str, str]:
    memory, cores = machine.memory_bytes, machine.cores
    index_build = _clamp(memory // 8 // cores, 16 * MIB, 2 * GIB)
    return {
        # The usual quarter; above 8 GiB the page cache serves the large scans just as well.
        "shared_buffers": _size(_clamp(memory // 4, 32 * MIB, 8 * GIB)),
        # The planner's guess of what is cached: half, the other half is the loader's.
        "effective_cache_size": _size(memory // 2),
        # Each loader process builds the indexes of its own leaf: together an eighth of the memory.
        "maintenance_work_mem": _size(index_build),
        "autovacuum_work_mem": _size(min(index_build, 256 * MIB)),
        # One query takes several of these: each sort or hash, in each parallel worker.
        "work_mem": _size(_clamp(memory // 256, 8 * MIB, 256 * MIB)),
    }


def _wal(machine: Machine) -> dict[str, str]:
    return {
        # Nobody replicates from here; COPY into a table made in the same transaction then writes no WAL at all.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # The default of 1 GB forces a checkpoint every few seconds of a load. Bounded: it is disk, and recovery time.
        "max_wal_size": _size(_clamp(machine.memory_bytes // 4, 1 * GIB, 8 * GIB)),
        "checkpoint_timeout": "15min",
        "wal_buffers": _size(_clamp(machine.memory_bytes // 128, 4 * MIB, 64 * MIB)),
    }


def _planner(machine: Machine) -> dict[str, str]:
    return {
        "random_page_cost": "1.1",  # SSD; the default of 4 is a turning disk's
        "jit": "off",  # compiles each leaf's expressions anew: seconds over many leaves, for queries of milliseconds
        "max_parallel_workers_per_gather": str(_clamp(machine.cores // 2, 1, 8)),
        # Leaves are built side by side already; more only where cores are plenty.
        "max_parallel_maintenance_workers": str(_clamp(machine.cores // 4, 0, 4)),
    }


def _processes(machine: Machine) -> dict[str, str]:
    return {
        "max_connections": str(40 + 4 * machine.cores),  # loader, its workers, dashboards
        "max_worker_processes": str(max(8, machine.cores + 4)),
        "max_parallel_workers": str(max(2, machine.cores)),
        # A query over a parent locks each leaf and each of its indexes: years of daily leaves are 10 000 locks.
        "max_locks_per_transaction": "1024",
    }


def _privacy() -> dict[str, str]:
    # Statements, DETAIL and CONTEXT lines carry row values, and no row value may enter a log.
    return {
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_min_duration_statement": "-1",
    }


def _throwaway() -> dict[str, str]:
    return {
        # Commits still reach the page cache: tests may kill the server, not the machine. synchronous_commit=off on top
        # would lose the last 0.6 s of commits with the server.
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "128MB",
        "maintenance_work_mem": "64MB",
        "work_mem": "16MB",
        "max_locks_per_transaction": "256",
        "max_connections": "100",
        # Statistics change when a test says so, and a worker never holds the template that is being copied.
        "autovacuum": "off",
    }


def _clamp(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def _size(value: int) -> str:
    return f"{value // KIB}kB"
