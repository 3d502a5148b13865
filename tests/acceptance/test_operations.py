"""What a run leaves outside the warehouse: log, metrics, lineage, alerts; and the answers of health and status."""

import hashlib
import hmac
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import (
    IDENTIFIERS,
    PSEUDONYM_KEY,
    SERVICE,
    VAULT_KEY,
    Done,
    cauri,
    cauri_process,
    execute,
    sample_folder,
    transaction,
    truth_of,
    value_of,
    write_feed,
)
from tests.webhook import receiving
from warehouse.lock import single_writer

PLAN = SamplePlan(rows=3_000, months=2, dirty_share=0.01, duplicate_share=0.01, update_share=0.02)
JSON = {"CAURI_LOG_FORMAT": "auto"}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run(*arguments: object, url: str, home: Path, **variables: str) -> Done:
    """The command as a process of its own, with log lines on stderr, for that is no terminal."""
    with cauri_process(*arguments, url=url, home=home, variables=JSON | variables) as process:
        out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


@dataclass(frozen=True)
class Scene:
    url: str
    home: Path
    done: Done

    @property
    def lineage(self) -> Path:
        return self.home / "lineage.ndjson"


@pytest.fixture(scope="module")
def scene(template_database: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A warehouse after a load, and what the load said."""
    home = tmp_path_factory.mktemp("home")
    with copied_database(*template_database) as url:
        done = run("load", sample_folder(PLAN), url=url, home=home, CAURI_LINEAGE=str(home / "lineage.ndjson"))
        assert done.code == 0, done.told
        yield Scene(url, home, done)


def test_stderr_has_nothing_but_lines_of_json(scene: Scene) -> None:
    said = lines(scene.done.err)
    steps = [line["step"] for line in said if line["event"] == "step done"]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert all({"timestamp", "event", "level", "command"} <= set(line) for line in said)
    assert all(line["run"] == 1 for line in said if line.get("step", 0) > 3)
    leaves = [line for line in said if line["event"] == "leaf built"]
    assert [(line["step"], line["rows"] > 0) for line in leaves] == [(6, True)] * PLAN.months
    assert [line["status"] for line in said if line["event"] == "run done"] == ["done"]


def test_the_file_has_the_same_lines_and_is_private(scene: Scene) -> None:
    path = scene.home / "logs" / "cauri.log"
    assert lines(path.read_text()) == lines(scene.done.err)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_line_names_anybody(scene: Scene) -> None:
    told = (scene.home / "logs" / "cauri.log").read_text() + scene.lineage.read_text()
    assert [word for word in IDENTIFIERS if word in told] == []


def test_no_line_has_a_password_that_stands_among_keywords(database_url: str, tmp_path: Path) -> None:
    given: dict[str, Any] = conninfo_to_dict(database_url)
    if given.get("password"):
        pytest.skip("the server has a password of its own")
    address = make_conninfo(**{**given, "password": "hunter 2", "sslpassword": "hunter 3"})
    done = run("load", sample_folder(PLAN), url=address, home=tmp_path, CAURI_LINEAGE=str(tmp_path / "lineage.ndjson"))
    assert done.code == 0, done.told
    left = "".join((tmp_path / name).read_text() for name in ("logs/cauri.log", "lineage.ndjson", "metrics/cauri.prom"))
    assert "hunter" not in done.told + left
    assert f'"{given["dbname"]}.dwh.fact_transactions"' in left


def test_metrics_have_what_the_load_did(scene: Scene) -> None:
    path = scene.home / "metrics" / "cauri.prom"
    figures = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }
    truth = truth_of(sample_folder(PLAN))["feeds"]["transactions"]
    for outcome in ("loaded", "updated", "repeated", "rejected"):
        assert figures["cauri_last_run_rows", *sorted((outcome, "transactions"))] == truth[outcome]
    assert figures["cauri_partition_leaves", "fact_transactions"] == PLAN.months
    assert figures["cauri_partition_bytes", "fact_transactions"] > 0
    assert figures["cauri_last_success_timestamp_seconds", "load"] == pytest.approx(
        value_of(scene.url, "SELECT extract(epoch FROM finished_at)::float FROM ops.run"), abs=0.001
    )
    assert {name[1:] for name in figures if name[0] == "cauri_last_run_step_seconds"} >= {("6", "Load leaves")}
    assert 0 < figures["cauri_last_run_rejected_share",] < 0.1
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & stat.S_IROTH


def test_lineage_has_a_beginning_and_an_end(scene: Scene) -> None:
    started, completed = lines(scene.lineage.read_text())
    assert [started["eventType"], completed["eventType"]] == ["START", "COMPLETE"]
    assert started["run"]["runId"] == completed["run"]["runId"]
    inputs = {one["name"]: one for one in completed["inputs"]}
    assert set(inputs) == {one["name"] for one in started["inputs"]}
    for name, one in inputs.items():
        content = (sample_folder(PLAN) / name).read_bytes()
        assert one["facets"]["version"]["datasetVersion"] == hashlib.sha256(content).hexdigest()
        assert one["inputFacets"]["inputStatistics"]["size"] == len(content)
    outputs = {one["name"].split(".", 1)[1]: one for one in completed["outputs"]}
    truth = truth_of(sample_folder(PLAN))["feeds"]["transactions"]
    written = outputs["dwh.fact_transactions"]["outputFacets"]["outputStatistics"]["rowCount"]
    assert written == truth["loaded"] + truth["updated"]
    fields = {field["name"]: field["type"] for field in outputs["dwh.fact_transactions"]["facets"]["schema"]["fields"]}
    assert fields["amount_minor"] == "bigint"


def test_nothing_to_do_is_no_failure(scene: Scene) -> None:
    with receiving() as receiver:
        done = run(
            "load",
            sample_folder(PLAN),
            url=scene.url,
            home=scene.home / "again",
            CAURI_ALERT_URL=receiver.url,
            CAURI_ALERT_SECRET="shared",
        )
    assert done.code == 99
    assert receiver.received == []
    assert {line["level"] for line in lines(done.err)} == {"info"}


@pytest.fixture
def talkative_server(database_url: str, tmp_path: Path) -> Path:
    """A folder whose load makes PostgreSQL say what must not be told on."""
    write_feed(tmp_path / "feeds", "services", [SERVICE])
    write_feed(tmp_path / "feeds", "transactions", [transaction(1)])
    execute(
        database_url,
        """
        CREATE FUNCTION ops.tell() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'no: client CLI-000123 +225 07 01 02 03 04, postgresql://etl:s3cr3t@db/x,'
                ' key cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA=';
        END $$;
        CREATE TRIGGER tell BEFORE INSERT ON ops.leaf EXECUTE FUNCTION ops.tell();
        """,
    )
    return tmp_path / "feeds"


PLANTED = ("CLI-000123", "07 01 02", "s3cr3t", "cHBwcHBw", PSEUDONYM_KEY, VAULT_KEY)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_failure_is_told_to_the_right_people_and_names_nobody(
    database_url: str, talkative_server: Path, tmp_path: Path, form: str
) -> None:
    home = tmp_path / "home"
    with receiving(503, 200) as receiver:
        variables = {
            "CAURI_LOG_FORMAT": form,
            "CAURI_ALERT_URL": receiver.url,
            "CAURI_ALERT_SECRET": "shared",
            "CAURI_LINEAGE": str(home / "lineage.ndjson"),
        }
        done = run("load", talkative_server, "--json", url=database_url, home=home, **variables)
    assert done.code == 1
    headers, body = receiver.received[-1]
    signed = headers["X-Cauri-Timestamp"].encode() + b"." + body
    assert headers["X-Cauri-Signature"] == "sha256=" + hmac.new(b"shared", signed, hashlib.sha256).hexdigest()
    alert = json.loads(body)
    assert (alert["event"], alert["command"], alert["run"]) == ("failed", "load", 1)
    assert alert["message"].startswith("PostgreSQL refused")
    lineage = (home / "lineage.ndjson").read_text()
    assert [event["eventType"] for event in lines(lineage)] == ["START", "FAIL"]
    log = (home / "logs" / "cauri.log").read_text()
    assert [line["run"] for line in lines(log) if line["event"] == "run failed"] == [1]
    told = done.told + log + lineage + body.decode()
    assert "***" in told
    assert [secret for secret in PLANTED if secret in told] == []


def test_a_receiver_that_is_away_changes_nothing(database_url: str, tmp_path: Path) -> None:
    variables = {"CAURI_ALERT_URL": "http://127.0.0.1:1/", "CAURI_ALERT_SECRET": "shared"}
    with single_writer(database_url):
        done = run("load", sample_folder(PLAN), url=database_url, home=tmp_path, **variables)
    assert done.code == 75
    assert "alert not sent" in [line["event"] for line in lines(done.err)]


def test_nothing_to_write_to_changes_nothing(database_url: str, tmp_path: Path) -> None:
    """Logs, metrics and lineage that cannot be written are no reason to fail."""
    (tmp_path / "logs").write_text("in the way")
    (tmp_path / "metrics").write_text("in the way")
    blocked = str(tmp_path / "logs" / "lineage.ndjson")
    done = run("load", sample_folder(PLAN), url=database_url, home=tmp_path, CAURI_LINEAGE=blocked)
    assert done.code == 0, done.told
    events = {line["event"] for line in lines(done.err)}
    assert {"metrics not written", "lineage not written", "run done"} <= events


def health(url: str, home: Path, **variables: str) -> tuple[int, dict[str, bool]]:
    done = cauri("health", "--json", url=url, home=home, variables=variables)
    return done.code, {check["name"]: check["healthy"] for check in done.json["checks"]}


def test_a_healthy_warehouse(scene: Scene) -> None:
    assert cauri("partitions", "apply", "--quiet", url=scene.url, home=scene.home).code == 0
    code, checks = health(scene.url, scene.home, CAURI_HEALTH_FREE_SHARE="0")
    assert (code, set(checks.values())) == (0, {True})
    assert list(checks) == [
        "database",
        "writable",
        "schema",
        "writer",
        "last success",
        "rejected share",
        "partitions",
        "disk",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "check"),
    [
        ("CAURI_HEALTH_MAX_AGE_HOURS", "0.0000001", "last success"),
        ("CAURI_HEALTH_REJECTED_SHARE", "0.0001", "rejected share"),
        ("CAURI_HEALTH_FREE_SHARE", "1", "disk"),
        ("CAURI_HEALTH_PREMADE_DAYS", "4000", "partitions"),
    ],
)
def test_each_threshold_counts(scene: Scene, variable: str, value: str, check: str) -> None:
    code, checks = health(scene.url, scene.home, **{variable: value})
    assert (code, checks[check]) == (1, False)


def test_health_of_a_database_that_is_away(tmp_path: Path) -> None:
    assert health("postgresql://127.0.0.1:1/x", tmp_path) == (75, {"database": False})


def test_health_of_a_local_server_that_does_not_run_starts_none(tmp_path: Path) -> None:
    done = cauri("health", url=None, home=tmp_path / "home")
    assert done.code == 75
    assert "cauri db start" in done.out
    assert not (tmp_path / "home").exists()


def test_health_of_a_read_only_database(scene: Scene, tmp_path: Path) -> None:
    url = scene.url + ("&" if "?" in scene.url else "?") + "options=-c%20default_transaction_read_only%3Don"
    code, checks = health(url, tmp_path)
    assert (code, checks["writable"]) == (1, False)


def test_health_of_an_older_schema_changes_nothing(database_url: str, tmp_path: Path) -> None:
    execute(database_url, "DELETE FROM ops.migration WHERE name LIKE '0010%'")
    code, checks = health(database_url, tmp_path)
    assert (code, checks["schema"]) == (1, False)
    assert value_of(database_url, "SELECT count(*) FROM ops.migration WHERE name LIKE '0010%'") == 0


def opened(url: str) -> int:
    statement = "INSERT INTO ops.run (command, status) VALUES ('load', 'running') RETURNING run_id"
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def test_running_killed_and_hanging_runs_are_told_apart(database_url: str, tmp_path: Path) -> None:
    def seen() -> tuple[str, bool]:
        runs = cauri("status", "--json", url=database_url, home=tmp_path).json["runs"]
        return runs[0]["status"], health(database_url, tmp_path)[1]["writer"]

    with single_writer(database_url) as lock:
        lock.lead(opened(database_url))
        assert seen() == ("running", True)
        assert "is writing (session" in cauri("status", url=database_url, home=tmp_path).out
        execute(database_url, "UPDATE ops.run SET lease_until = now() - interval '1 second'")
        assert seen() == ("running", False)
        assert "does not renew" in cauri("status", url=database_url, home=tmp_path).out
    assert seen() == ("killed", False)
