"""`cauri nightly`: what has arrived is taken, what is dirty is recomputed, the leaves are maintained."""

import json
import os
import time
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest

from engine import intake as intake_module
from engine.sift import sift
from tests.loading import SERVICE, Done, cauri, execute, load, rows_of, transaction, value_of, write_feed
from tests.webhook import receiving
from warehouse.errors import SourceError

TODAY = time.strftime("%Y-%m-%d")


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", [transaction(1)], ending="_1")
    return folder


def nightly(folder: Path, url: str, home: Path, *options: object, **variables: str) -> Done:
    return cauri("nightly", folder, "--settle", 0, "--quiet", *options, url=url, home=home, variables=variables)


def told(folder: Path, url: str, home: Path, *options: object) -> dict[str, Any]:
    done = nightly(folder, url, home, "--json", *options)
    assert done.code == 0, done.told
    found: dict[str, Any] = done.json
    return found


def test_each_night_takes_what_is_new(database_url: str, feeds: Path, tmp_path: Path) -> None:
    first = told(feeds, database_url, tmp_path)
    assert (first["status"], first["rows"]["loaded"]) == ("done", 2)
    assert [step["name"] for step in first["steps"]][-1] == "Maintain partitions"
    write_feed(
        feeds, "transactions", [transaction(1, status="REVERSED", updated_at="2024-02-01T00:00:00Z")], ending="_2"
    )
    second = told(feeds, database_url, tmp_path)
    assert second["rows"] == {"read": 1, "loaded": 0, "updated": 1, "repeated": 0, "rejected": 0}
    assert second["skipped_files"] == ["services.csv", "transactions_1.csv"]
    assert rows_of(database_url, "SELECT command, status FROM ops.run ORDER BY run_id") == [("nightly", "done")] * 2
    assert rows_of(database_url, "SELECT successes, reversals FROM dwh.fact_daily_client_summary") == [(0, 1)]


def test_leaves_are_made_ahead_and_a_night_without_files_and_steps_has_nothing_to_do(
    database_url: str, feeds: Path, tmp_path: Path
) -> None:
    first = told(feeds, database_url, tmp_path)
    assert {step["kind"] for step in first["maintenance"]["steps"]} >= {"create", "analyse table"}
    plan = cauri("partitions", "plan", url=database_url, home=tmp_path)
    assert plan.code == 99, plan.told
    again = nightly(feeds, database_url, tmp_path)
    assert again.code == 99
    assert "has no new file: 2 are in the ledger already, 0 are still being written" in again.err
    document = nightly(feeds, database_url, tmp_path, "--json")
    assert (document.code, document.json["status"], document.json["maintenance"]["steps"]) == (99, "nothing", [])


def test_an_empty_folder_is_maintained_all_the_same(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    done = nightly(tmp_path / "feeds", database_url, tmp_path)
    assert done.code == 0, done.told
    assert "has no new file: 0 are in the ledger" in done.out
    assert "step(s) done" in done.out
    assert nightly(tmp_path / "nowhere", database_url, tmp_path).code == 2


def test_a_file_that_is_being_written_is_left_for_the_next_night(
    database_url: str, feeds: Path, tmp_path: Path
) -> None:
    os.utime(feeds / "services.csv", (0, 0))
    (feeds / "transactions_1.csv.done").touch()
    write_feed(feeds, "transactions", [transaction(2)], ending="_2")
    first = told(feeds, database_url, tmp_path, "--settle", "3600")
    assert first["unfinished_files"] == ["transactions_2.csv was changed less than 3600 s ago"]
    assert first["rows"]["loaded"] == 2
    assert told(feeds, database_url, tmp_path)["rows"]["loaded"] == 1
    write_feed(feeds, "transactions", [transaction(3)], ending="_3")
    unmarked = nightly(feeds, database_url, tmp_path, "--markers", "--json")
    assert unmarked.code == 99
    # Those that stand in the ledger are not known before they are read.
    assert "transactions_3.csv has no transactions_3.csv.done beside it" in unmarked.json["unfinished_files"]


def test_a_file_that_grows_while_it_is_read_loads_nothing(database_url: str, feeds: Path) -> None:
    def while_it_grows(*arguments: Any) -> None:
        sift(*arguments)
        with (feeds / "transactions_1.csv").open("a") as stream:
            stream.write("T9,")

    with (
        mock.patch.object(intake_module, "sift", while_it_grows),
        pytest.raises(SourceError, match=r"1 file\(s\) changed while they were read: transactions_1\.csv"),
    ):
        load(feeds, database_url, nightly=True)
    assert rows_of(database_url, "SELECT count(*) FROM ops.run") == [(0,)]
    assert rows_of(database_url, "SELECT count(*) FROM dwh.fact_transactions") == [(0,)]


def test_cells_that_were_left_dirty_are_recomputed_without_a_new_file(
    database_url: str, feeds: Path, tmp_path: Path
) -> None:
    told(feeds, database_url, tmp_path)
    execute(database_url, "UPDATE dwh.fact_daily_client_summary SET anomalies = 9")
    execute(
        database_url,
        "INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)"
        " SELECT date_key, client_key, service_key, 1 FROM dwh.fact_daily_client_summary",
    )
    document = told(feeds, database_url, tmp_path)
    assert (document["status"], document["maintenance"]["recomputed_cells"]) == ("nothing", 1)
    assert rows_of(database_url, "SELECT anomalies FROM dwh.fact_daily_client_summary") == [(0,)]
    assert rows_of(database_url, "SELECT transactions FROM dwh.mv_daily_kpi") == [(1,)]


def test_a_table_that_cannot_be_maintained_fails_the_night_and_not_the_load(
    database_url: str, feeds: Path, tmp_path: Path
) -> None:
    with (
        psycopg.connect(database_url) as other,
        mock.patch("partitions.turns.LOOKING_PATIENCE_SECONDS", 0.2),
        mock.patch("partitions.turns.PATIENCE_SECONDS", 0.2),
        receiving() as received,
    ):
        other.execute("LOCK TABLE ml.fraud_score IN ACCESS SHARE MODE")
        other.execute("LOCK TABLE ml.fraud_score IN SHARE ROW EXCLUSIVE MODE")
        alert = {"CAURI_ALERT_URL": received.url, "CAURI_ALERT_SECRET": "s"}
        done = nightly(feeds, database_url, tmp_path, "--json", **alert)
    assert done.code == 75, done.told
    document = json.loads(done.out)
    assert (document["status"], document["rows"]["loaded"]) == ("done", 2)
    assert "create fraud_score_" in document["maintenance"]["error"]
    assert [json.loads(body)["event"] for _, body in received.received] == ["postponed"]
    assert value_of(database_url, "SELECT status FROM ops.run") == "done"
    assert nightly(feeds, database_url, tmp_path).code == 0


def test_a_dry_run_of_a_night_writes_nothing(database_url: str, feeds: Path, tmp_path: Path) -> None:
    document = told(feeds, database_url, tmp_path, "--dry-run")
    assert document["status"] == "planned"
    assert "maintenance" not in document
    assert value_of(database_url, "SELECT count(*) FROM ops.run") == 0
