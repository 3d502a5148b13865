"""The files of deploy/ are what their schedulers read, and know the exit codes."""

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.errors import NothingToDoError, TransientTargetError

DEPLOY = Path(__file__).parents[2] / "deploy"
NOTHING = NothingToDoError.exit_code
LATER = TransientTargetError.exit_code


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").glob("cauri-nightly.*"):
        shutil.copy(unit, tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    # Units of the machine itself are none of ours.
    ours = [line for line in done.stderr.splitlines() if "cauri" in line and "is not executable" not in line]
    assert ours == []


def test_the_service_knows_the_codes() -> None:
    service = (DEPLOY / "systemd" / "cauri-nightly.service").read_text()
    assert re.findall(r"^SuccessExitStatus=(.*)$", service, re.MULTILINE) == [str(NOTHING)]
    assert "Restart=on-failure" in service
    assert re.findall(r"^RestartPreventExitStatus=(.*)$", service, re.MULTILINE) == ["1 2 3"]
    assert "Type=oneshot" in service
    assert "LoadCredential=pseudonym_key:" in service
    assert "Persistent=true" in (DEPLOY / "systemd" / "cauri-nightly.timer").read_text()


def calls_of(tree: ast.AST, name: str) -> list[dict[str, ast.expr]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]
    return [{word.arg: word.value for word in call.keywords if word.arg} for call in calls]


def test_the_dag_calls_the_command_and_skips() -> None:
    source = (DEPLOY / "airflow" / "cauri_nightly.py").read_text()
    tree = ast.parse(source)
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    nightly, health = calls_of(tree, "BashOperator")
    assert constants["NOTHING_TO_DO"] == NOTHING
    assert ast.unparse(nightly["skip_on_exit_code"]) == "NOTHING_TO_DO"
    assert "nightly {FEEDS}" in ast.unparse(nightly["bash_command"])
    assert ast.unparse(health["trigger_rule"]) == "'all_done'"
    (dag,) = calls_of(tree, "DAG")
    assert {"dag_id", "schedule", "start_date", "catchup", "max_active_runs"} <= set(dag)


def test_the_cron_job_of_kubernetes() -> None:
    job: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"], job["metadata"]["name"]) == ("batch/v1", "CronJob", "cauri-nightly")
    assert len(job["spec"]["schedule"].split()) == 5
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    run = job["spec"]["jobTemplate"]["spec"]
    (rule,) = run["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [1, 2, 3]
    pod = run["template"]["spec"]
    # podFailurePolicy is refused with any other.
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize(("code", "seen"), [(0, 0), (NOTHING, 0), (LATER, LATER), (1, 1), (3, 3)])
def test_the_script_of_the_pod_passes_codes_on(tmp_path: Path, code: int, seen: int) -> None:
    with pod_script(tmp_path, f"exit {code}") as done:
        assert done.wait(timeout=20) == seen


def test_the_script_of_the_pod_passes_sigterm_on(tmp_path: Path) -> None:
    with pod_script(tmp_path, f"trap 'exit {LATER}' TERM; echo ready; sleep 30 & wait") as done:
        assert done.stdout is not None
        assert done.stdout.readline() == "ready\n"
        done.terminate()
        assert done.wait(timeout=20) == LATER


def pod_script(folder: Path, body: str) -> "subprocess.Popen[str]":
    """The script of the container with another program in the place of `cauri`."""
    job = yaml.safe_load((DEPLOY / "kubernetes" / "cronjob.yaml").read_text())
    (script,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    program = folder / "cauri"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.Popen(["/bin/sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True)


def test_cron_lines_have_five_fields_a_user_and_the_codes() -> None:
    lines = [line for line in (DEPLOY / "cron" / "cauri").read_text().splitlines() if re.match(r"[\d*]", line)]
    assert [line.split()[5] for line in lines] == ["cauri", "cauri"]
    assert "%" not in "".join(lines), "cron ends the command at a percent sign"
    assert f"$code == {LATER} || $code == {NOTHING}" in lines[0]
