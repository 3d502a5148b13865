import pytest

from warehouse.machine import GIB, MIB, Machine, this_machine
from warehouse.server_settings import as_text, server_settings

LAPTOP = Machine(24 * GIB, 2)
SIZES = [Machine(1 * GIB, 2), Machine(4 * GIB, 16), LAPTOP, Machine(512 * GIB, 64), Machine(256 * MIB, 1)]


def _bytes(setting: str) -> int:
    assert setting.endswith("kB")
    return int(setting.removesuffix("kB")) << 10


@pytest.mark.parametrize(
    ("memory", "cores", "shared_buffers", "index_build", "work_mem"),
    [
        (1 * GIB, 2, 256 * MIB, 64 * MIB, 8 * MIB),
        (4 * GIB, 16, 1 * GIB, 32 * MIB, 16 * MIB),
        (24 * GIB, 2, 6 * GIB, 1536 * MIB, 96 * MIB),
        (512 * GIB, 64, 8 * GIB, 1 * GIB, 256 * MIB),
    ],
)
def test_memory_follows_the_machine(
    memory: int, cores: int, shared_buffers: int, index_build: int, work_mem: int
) -> None:
    settings = server_settings(Machine(memory, cores), major=18)

    assert _bytes(settings["shared_buffers"]) == shared_buffers
    assert _bytes(settings["maintenance_work_mem"]) == index_build
    assert _bytes(settings["work_mem"]) == work_mem


@pytest.mark.parametrize("machine", SIZES)
def test_server_and_index_builds_leave_half_of_the_memory(machine: Machine) -> None:
    settings = server_settings(machine, major=18)

    builds = machine.cores * _bytes(settings["maintenance_work_mem"])
    assert _bytes(settings["shared_buffers"]) + builds <= machine.memory_bytes // 2


@pytest.mark.parametrize("machine", SIZES)
def test_a_users_data_survives_a_crash(machine: Machine) -> None:
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & server_settings(machine, major=18).keys()


def test_a_throwaway_server_is_small_and_careless() -> None:
    settings = server_settings(LAPTOP, major=18, throwaway=True)

    assert settings["fsync"] == settings["full_page_writes"] == "off"
    assert settings["shared_buffers"] == "128MB"


@pytest.mark.parametrize("throwaway", [True, False])
def test_no_tcp_and_no_row_values_in_the_log(throwaway: bool) -> None:
    settings = server_settings(LAPTOP, major=15, throwaway=throwaway)

    assert settings["listen_addresses"] == ""
    assert settings["log_error_verbosity"] == "terse"
    assert settings["log_min_error_statement"] == "panic"


def test_settings_of_18_only_for_18() -> None:
    assert "io_workers" in server_settings(LAPTOP, major=18)
    assert "io_workers" not in server_settings(LAPTOP, major=17)


@pytest.mark.parametrize(("shared_memory", "expected"), [(64 * MIB, "sysv"), (12 * GIB, None), (None, None)])
def test_dockers_small_shared_memory_is_avoided(shared_memory: int | None, expected: str | None) -> None:
    settings = server_settings(Machine(24 * GIB, 2, shared_memory), major=18)

    assert settings.get("dynamic_shared_memory_type") == expected


def test_values_are_quoted() -> None:
    assert "log_directory = '/it''s/log'\n" in as_text({"log_directory": "/it's/log"})


def test_this_machine_has_memory_and_cores() -> None:
    machine = this_machine()

    assert machine.memory_bytes > 64 * MIB
    assert machine.cores >= 1
