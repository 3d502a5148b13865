"""Archiving: nothing is called archived, and nothing dropped, that is not proven to be in a file."""

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from partitions import archive as archive_module
from partitions import archive_file
from partitions.archive import archive_leaf, drop_archived, is_archived
from partitions.archive_file import write_rows
from partitions.archive_ledger import entries
from partitions.catalog import Leaf
from partitions.detach import detach_leaf
from partitions.leaves import attached
from partitions.manifest import damage
from partitions.policy import Policy
from tests.archives import (
    FACTS,
    JANUARY,
    LOG,
    POLICIES,
    ROWS,
    SCORES,
    content,
    detach,
    files,
    insert,
    leaf_of,
    new_leaf,
    states,
)
from tests.loading import execute, rows_of
from warehouse.connection import Connection
from warehouse.errors import ConfigurationError, LockBusyError, TargetError, TransientTargetError

POLICY = POLICIES[SCORES]


@pytest.fixture
def leaf(connection: Connection) -> Leaf:
    return new_leaf(connection, POLICY)


def path_of(connection: Connection, folder: Path) -> Path:
    (entry,) = entries(connection)
    return folder / entry.archive.file


def add(connection: Connection, name: str, policy: Policy = POLICY, **values: Any) -> None:
    insert(connection, attached(policy, JANUARY), {**ROWS[policy.name][0], "transaction_id": name, **values})


def test_an_archive_stays_where_it_is_and_says_what_it_holds(
    connection: Connection, leaf: Leaf, tmp_path: Path
) -> None:
    made = archive_leaf(connection, POLICY, leaf, tmp_path / "new")
    assert (made.kept, states(connection), len(content(connection, POLICY))) == (False, ["archived"], 2)
    path = path_of(connection, tmp_path / "new")
    assert path.parent.name == SCORES
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    manifest = json.loads(path.with_suffix(".json").read_text())
    assert {name: manifest[name] for name in ("table", "leaf", "first_day", "end_day", "rows", "sums")} == {
        "table": SCORES,
        "leaf": "fraud_score_2024_01",
        "first_day": "2024-01-01",
        "end_day": "2024-02-01",
        "rows": 2,
        "sums": {"date_key": str(20240101 + 20240102)},
    }
    assert {"name": "reasons", "type": "text[]"} in manifest["columns"]
    assert manifest["versions"]["postgresql"]


def test_other_tools_read_the_file_in_its_order(connection: Connection, tmp_path: Path) -> None:
    policy = POLICIES[FACTS]
    leaf = new_leaf(connection, policy, [])
    for number in (3, 1, 2):
        add(connection, f"t{number}", policy, date_key=20240131 - number // 3, amount_minor=number)
    archive_leaf(connection, policy, leaf, tmp_path)
    frame = pl.read_parquet(path_of(connection, tmp_path))
    assert frame["transaction_id"].to_list() == ["t3", "t1", "t2"]
    assert frame.schema["amount_minor"] == pl.Int64
    assert frame.schema["transaction_ts"] == pl.Datetime("us", "UTC")


def test_an_archive_of_the_same_rows_is_kept(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    first = archive_leaf(connection, POLICY, leaf, tmp_path)
    written = path_of(connection, tmp_path).stat().st_mtime_ns
    execute_in(connection, "UPDATE ml.fraud_score SET band = band")  # other places on disk, same rows
    again = archive_leaf(connection, POLICY, leaf, tmp_path)
    assert (again.kept, again.archive) == (True, first.archive)
    assert path_of(connection, tmp_path).stat().st_mtime_ns == written


def execute_in(connection: Connection, statement: str) -> None:
    connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ml.fraud_score SET scored_at = scored_at + '1 us' WHERE date_key = 20240102",
        "UPDATE ml.fraud_score SET reasons = '{NULL}' WHERE date_key = 20240102",
        "DELETE FROM ml.fraud_score WHERE date_key = 20240102",
        "INSERT INTO ml.fraud_score SELECT * FROM (SELECT scored_at, fraud_score, date_key, 'new', model_version, band,"
        " reasons FROM ml.fraud_score LIMIT 1) AS one",
        "ALTER TABLE ml.fraud_score RENAME band TO colour",
        "ALTER TABLE ml.fraud_score ADD COLUMN note text",
    ],
)
def test_a_leaf_that_changed_is_archived_again(connection: Connection, leaf: Leaf, tmp_path: Path, change: str) -> None:
    archive_leaf(connection, POLICY, leaf, tmp_path)
    assert is_archived(connection, POLICY, leaf, tmp_path)
    execute_in(connection, change)
    assert not is_archived(connection, POLICY, leaf, tmp_path)
    assert archive_leaf(connection, POLICY, leaf, tmp_path).kept is False
    assert states(connection) == ["superseded", "archived"]
    assert is_archived(connection, POLICY, leaf, tmp_path)
    assert [damage(tmp_path, entry.archive) for entry in entries(connection)] == [None, None]


@pytest.mark.parametrize("moment", ["require_room", "write_rows"])
def test_a_leaf_that_changes_meanwhile_is_archived_as_it_was(
    connection: Connection,
    leaf: Leaf,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    def changed_before(*arguments: Any) -> None:
        execute(database_url, "UPDATE ml.fraud_score SET fraud_score = 0.5")
        getattr(archive_file, moment)(*arguments)

    monkeypatch.setattr(f"partitions.archive_write.{moment}", changed_before)
    archive_leaf(connection, POLICY, leaf, tmp_path)
    monkeypatch.undo()
    assert 0.5 not in pl.read_parquet(path_of(connection, tmp_path))["fraud_score"].to_list()
    assert not is_archived(connection, POLICY, leaf, tmp_path)
    dropped = drop_archived(connection, POLICY, detach(connection, POLICY), tmp_path)
    assert states(connection) == ["superseded", "dropped"]
    assert pl.read_parquet(tmp_path / dropped.file)["fraud_score"].to_list() == [0.5, 0.5]


@pytest.mark.parametrize("kept", [False, True])
def test_what_a_killed_run_left_is_removed(connection: Connection, leaf: Leaf, tmp_path: Path, kept: bool) -> None:
    if kept:
        archive_leaf(connection, POLICY, leaf, tmp_path)
    (tmp_path / SCORES).mkdir(exist_ok=True)
    (tmp_path / SCORES / ".fraud_score_2023_12.0123.parquet.tmp").touch()
    archive_leaf(connection, POLICY, leaf, tmp_path)
    assert list(files(tmp_path)) == [".json", ".parquet"]


def test_an_attached_leaf_is_not_dropped(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    archive_leaf(connection, POLICY, leaf, tmp_path)
    with pytest.raises(TargetError, match=r"is attached to ml\.fraud_score"):
        drop_archived(connection, POLICY, leaf, tmp_path)
    assert (len(content(connection, POLICY)), states(connection)) == (2, ["archived"])


def test_a_detached_leaf_in_use_is_not_dropped(
    connection: Connection, leaf: Leaf, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "DROP_LOCK_TIMEOUT", "100ms")
    leaf = detach(connection, POLICY)
    archive_leaf(connection, POLICY, leaf, tmp_path)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM dwh_parts.fraud_score_2024_01")
        with pytest.raises(LockBusyError):
            drop_archived(connection, POLICY, leaf, tmp_path)
    assert states(connection) == ["archived"]
    drop_archived(connection, POLICY, leaf, tmp_path)
    assert states(connection) == ["dropped"]


def test_a_damaged_archive_is_written_anew_before_the_drop(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    archive_leaf(connection, POLICY, leaf, tmp_path)
    path = path_of(connection, tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    leaf = detach(connection, POLICY)
    assert not is_archived(connection, POLICY, leaf, tmp_path)
    drop_archived(connection, POLICY, leaf, tmp_path)
    assert damage(tmp_path, entries(connection)[0].archive) is None


def test_a_leaf_that_cannot_be_archived_is_not_dropped(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    leaf = detach(connection, POLICY)
    (tmp_path / SCORES).write_text("in the way")
    with pytest.raises(ConfigurationError, match=r"Not a directory|File exists"):
        drop_archived(connection, POLICY, leaf, tmp_path)
    assert rows_of(connection.info.dsn, "SELECT count(*) FROM dwh_parts.fraud_score_2024_01") == [(2,)]


def test_a_hold_goes_with_its_leaf(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    connection.execute("INSERT INTO ops.leaf_hold VALUES ('ml.fraud_score', 'fraud_score_2024_01', '2024-01-01', 'x')")
    drop_archived(connection, POLICY, detach(connection, POLICY), tmp_path)
    assert connection.execute("SELECT * FROM ops.leaf_hold").fetchall() == []


@pytest.mark.parametrize("reasons", ["{{a,b},{c,d}}", "[2:3]={a,b}"])
def test_what_does_not_survive_a_file_is_not_archived(connection: Connection, tmp_path: Path, reasons: str) -> None:
    leaf = new_leaf(connection, POLICY, [])
    add(connection, "x", reasons=reasons)
    with pytest.raises(TargetError, match=r"differs from the table in same rows and sums|lower bound"):
        archive_leaf(connection, POLICY, leaf, tmp_path)
    assert (list(files(tmp_path)), states(connection)) == ([], [])


def test_an_empty_leaf_is_archived(connection: Connection, tmp_path: Path) -> None:
    policy = POLICIES[LOG]
    leaf = new_leaf(connection, policy, [])
    made = archive_leaf(connection, policy, leaf, tmp_path)
    assert (made.archive.contents.rows, is_archived(connection, policy, leaf, tmp_path)) == (0, True)


def test_a_disk_without_room_is_seen_before_anything_is_written(
    connection: Connection, leaf: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(TransientTargetError, match=r"no room for the archive in .*: 0\.0 MiB free, about") as caught:
        archive_leaf(connection, POLICY, leaf, tmp_path)
    assert (caught.value.exit_code, caught.value.facts["free_bytes"]) == (75, 100)
    assert (list(files(tmp_path)), states(connection)) == ([], [])


def test_leaves_without_days_are_refused(connection: Connection, leaf: Leaf, tmp_path: Path) -> None:
    connection.execute(
        "CREATE TABLE dwh_parts.odd PARTITION OF ml.fraud_score FOR VALUES FROM (20240201) TO (20240299)"
    )
    odd = Leaf(SCORES, "dwh_parts", "odd", None, bounds="FOR VALUES FROM (20240201) TO (20240299)")
    with pytest.raises(TargetError, match=r"not whole days: FOR VALUES FROM \(20240201\)"):
        archive_leaf(connection, POLICY, odd, tmp_path)


def test_a_lost_server_is_our_error_and_leaves_no_file(
    connection: Connection, leaf: Leaf, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(
        "INSERT INTO ml.fraud_score SELECT scored_at, 0.5, date_key, n || repeat('x', 1000), '', band, '{}'"
        " FROM ml.fraud_score, generate_series(1, 40000) AS n WHERE date_key = 20240101"
    )

    def cut_off(path: Path, batches: Any) -> None:
        execute(database_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              " WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
        write_rows(path, batches)

    monkeypatch.setattr("partitions.archive_write.write_rows", cut_off)
    with pytest.raises(TransientTargetError):
        archive_leaf(connection, POLICY, leaf, tmp_path)
    assert list(files(tmp_path)) == []
    assert rows_of(database_url, "SELECT count(*) FROM ops.archive") == [(0,)]


def test_a_detach_that_was_interrupted_is_finished(connection: Connection, leaf: Leaf, database_url: str) -> None:
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM ml.fraud_score")
        connection.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute("ALTER TABLE ml.fraud_score DETACH PARTITION dwh_parts.fraud_score_2024_01 CONCURRENTLY")
        connection.execute("RESET lock_timeout")
    assert leaf_of(connection, POLICY).detaching
    detach_leaf(connection, POLICY, leaf)
    detach_leaf(connection, POLICY, leaf)
    assert rows_of(
        database_url, "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'dwh_parts.fraud_score_2024_01'::regclass"
    ) == [(0,)]


def test_a_sum_beyond_every_integer(connection: Connection, tmp_path: Path) -> None:
    policy = POLICIES[FACTS]
    made = archive_leaf(connection, policy, new_leaf(connection, policy), tmp_path)
    assert made.archive.contents.texts["amount_minor"] == str(2 * (2**63 - 1))
