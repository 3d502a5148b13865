"""`cauri partitions plan`, `apply` and `list`, as a person and as a program meet them."""

import json
from datetime import date
from pathlib import Path

import psycopg
import pytest

from tests.loading import cauri, value_of
from warehouse.lock import single_writer


def test_a_plan_is_printed_like_a_diff(database_url: str) -> None:
    done = cauri("partitions", "plan", url=database_url)
    assert done.code == 0
    today = date.today()  # noqa: DTZ011 - the warehouse of the tests is in UTC
    assert f"  + create fact_transactions_{today:%Y_%m} for {today:%Y-%m}, and attach it" in done.out
    assert "lock: SHARE UPDATE EXCLUSIVE on dwh.fact_transactions" in done.out
    assert value_of(database_url, "SELECT count(*) FROM ops.partition_step") == 0


def test_the_sql_of_a_plan_does_what_apply_does(database_url: str) -> None:
    text = cauri("partitions", "plan", "--sql", url=database_url).out
    assert "ATTACH PARTITION" in text
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in text.split(";\n"):
            connection.execute(statement)
    assert cauri("partitions", "plan", url=database_url).code == 99


def test_a_plan_for_a_program(database_url: str) -> None:
    done = cauri("partitions", "plan", "--json", url=database_url)
    assert done.json["status"] == "planned"
    assert len([step for step in done.json["steps"] if step["kind"] == "create"]) == 16
    assert set(done.json["steps"][0]) == {"kind", "table", "leaf", "line", "lock", "rows", "bytes"}
    step = cauri("partitions", "plan", "--json", "--sql", url=database_url).json["steps"][0]
    assert (step["sql"][0], step["sql"][-1]) == ("BEGIN", "COMMIT")


def test_apply_shows_each_step_and_then_finds_nothing_to_do(database_url: str) -> None:
    done = cauri("partitions", "apply", url=database_url)
    assert (done.code, done.err.count("+ create")) == (0, 16)
    again = cauri("partitions", "apply", url=database_url)
    assert again.code == 99
    assert "the leaves are as the policies want them" in again.err
    for command in ("plan", "apply"):
        nothing = cauri("partitions", command, "--json", url=database_url)
        assert (nothing.code, nothing.json["status"], nothing.json["steps"]) == (99, "nothing", [])


def test_apply_for_a_program(database_url: str) -> None:
    done = cauri("partitions", "apply", "--json", "--quiet", url=database_url)
    assert (done.code, done.json["status"], done.err) == (0, "done", "")
    assert len(done.json["steps"]) >= 16


def test_apply_does_not_run_beside_a_load(database_url: str) -> None:
    with single_writer(database_url):
        done = cauri("partitions", "apply", url=database_url)
    assert done.code == 75
    assert "another run is writing" in done.err


def test_the_health_of_the_tables(database_url: str) -> None:
    cauri("partitions", "apply", url=database_url)
    done = cauri("partitions", "list", url=database_url)
    assert done.code == 0
    assert "dwh.fact_transactions" in done.out
    assert f"fact_transactions_{date.today():%Y_%m}" in done.out  # noqa: DTZ011
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "fact_daily_client_summary_" in done.out
    one = cauri("partitions", "list", "--table", "access_log", "--json", url=database_url).json
    assert [table["table"] for table in one["tables"]] == ["audit.access_log"]
    assert len(one["tables"][0]["leaves"]) == 4
    assert cauri("partitions", "list", "--table", "nothing", url=database_url).code == 2


def test_hundreds_of_leaves_stay_readable(database_url: str, tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(
        '[[table]]\nschema = "ml"\ntable = "fraud_score"\nkey = "date_key"\ngrain = "day"\npremake = 230'
    )
    variables = {"CAURI_PARTITIONS": str(policies)}
    assert cauri("partitions", "apply", "--quiet", url=database_url, variables=variables).code == 0
    done = cauri("partitions", "list", url=database_url, variables=variables)
    assert "the newest 12 of 231 leaves" in done.out
    assert len(done.out.splitlines()) < 40
    every = cauri("partitions", "list", "--table", "fraud_score", url=database_url, variables=variables)
    assert len(every.out.splitlines()) > 231


@pytest.mark.parametrize("command", ["plan", "apply", "list"])
def test_a_contradictory_policy_changes_nothing(database_url: str, tmp_path: Path, command: str) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[[table]]\nschema = "ml"\ntable = "fraud_score"\nkey = "date_key"\npremake = 9\n'
                        'retention = { months = 2 }\nat_end = "drop"')  # fmt: skip
    done = cauri("partitions", command, "--json", url=database_url, variables={"CAURI_PARTITIONS": str(policies)})
    assert done.code == 2
    assert "the retention is shorter than what premake creates ahead" in json.loads(done.out)["message"]
    assert value_of(database_url, "SELECT count(*) FROM ops.partition_step") == 0
