"""Restoring: every bit comes back, or nothing changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from partitions.archive import archive_leaf, drop_archived, is_archived
from partitions.archive_ledger import entries
from partitions.leaves import create_aside
from partitions.restorable import companion, restorable
from partitions.restore import Wanted, restore_leaves
from tests import archives
from tests.archives import (
    FACTS,
    HOLD,
    JANUARY,
    LOG,
    POLICIES,
    SCORES,
    SUMMARY,
    ZONE,
    content,
    detach,
    leaf_of,
    new_leaf,
    states,
    wanted,
)
from tests.loading import everything
from warehouse.connection import Connection
from warehouse.errors import ConfigurationError, TargetError

POLICY = POLICIES[SCORES]
NAME = "fraud_score_2024_01"


def archive_and_drop(connection: Connection, folder: Path, table: str = SCORES) -> list[str]:
    """The rows that were there before."""
    policy = POLICIES[table]
    rows = content(connection, policy)
    archive_leaf(connection, policy, leaf_of(connection, policy), folder)
    drop_archived(connection, policy, detach(connection, policy), folder)
    return rows


@pytest.fixture
def gone(connection: Connection, tmp_path: Path) -> list[str]:
    """A leaf of scores that is in the archive only; its rows."""
    new_leaf(connection, POLICY)
    return archive_and_drop(connection, tmp_path)


def restore(connection: Connection, folder: Path, *found: Wanted) -> None:
    restore_leaves(connection, found or [wanted(connection, POLICY)], folder, ZONE, HOLD)


@pytest.mark.parametrize("table", POLICIES)
def test_a_leaf_comes_back_to_the_bit(connection: Connection, tmp_path: Path, table: str) -> None:
    policy = POLICIES[table]
    indexes = new_leaf(connection, policy).indexes
    before = archive_and_drop(connection, tmp_path, table)
    assert (content(connection, policy), states(connection), len(before)) == ([], ["dropped"], 2)
    restore(connection, tmp_path, wanted(connection, policy))
    assert content(connection, policy) == before
    leaf = leaf_of(connection, policy)
    assert (leaf.schema, leaf.held_until, leaf.all_frozen, leaf.analysed) == ("dwh_parts", HOLD, True, True)
    assert leaf.indexes == indexes
    assert states(connection) == ["restored"]
    assert is_archived(connection, policy, leaf, tmp_path)


def test_a_restored_leaf_that_goes_again_needs_no_new_file(
    connection: Connection, tmp_path: Path, gone: list[str]
) -> None:
    restore(connection, tmp_path)
    assert archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path).kept
    assert archive_and_drop(connection, tmp_path) == gone
    assert states(connection) == ["dropped"]
    restore(connection, tmp_path)
    assert content(connection, POLICY) == gone


def test_an_empty_leaf_comes_back(connection: Connection, tmp_path: Path) -> None:
    new_leaf(connection, POLICY, [])
    archive_and_drop(connection, tmp_path)
    restore(connection, tmp_path)
    assert leaf_of(connection, POLICY).span == JANUARY


REORDERED = """
    CREATE TABLE dwh_parts.other (
        reasons text[] NOT NULL, band text NOT NULL, model_version text NOT NULL,
        transaction_id text COLLATE "C" NOT NULL, date_key integer NOT NULL,
        fraud_score double precision NOT NULL, scored_at timestamptz NOT NULL,
        CONSTRAINT fraud_score_fraud_score_check CHECK (fraud_score BETWEEN 0 AND 1),
        CONSTRAINT fraud_score_band_check CHECK (band IN ('allow', 'review', 'block'))
    );
    INSERT INTO dwh_parts.other
    SELECT reasons, band, model_version, transaction_id, date_key, fraud_score, scored_at FROM ml.fraud_score
"""
EXCHANGED = """
    DROP TABLE dwh_parts.fraud_score_2024_01;
    ALTER TABLE dwh_parts.other RENAME TO fraud_score_2024_01;
    ALTER TABLE ml.fraud_score ATTACH PARTITION dwh_parts.fraud_score_2024_01 FOR VALUES FROM (20240101) TO (20240201)
"""


def test_a_leaf_whose_columns_stand_in_another_order(connection: Connection, tmp_path: Path) -> None:
    leaf = new_leaf(connection, POLICY)
    connection.execute(REORDERED)
    archive_leaf(connection, POLICY, leaf, tmp_path)
    before = content(connection, POLICY)
    detach(connection, POLICY)
    connection.execute(EXCHANGED)
    assert is_archived(connection, POLICY, leaf, tmp_path)
    assert content(connection, POLICY) == before


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def edit_manifest(path: Path) -> None:
    document = json.loads(path.with_suffix(".json").read_text())
    document["rows"] += 1
    path.with_suffix(".json").write_text(json.dumps(document))


def edit_both(path: Path) -> None:
    """A file of other rows with a manifest that fits it: only the ledger knows better."""
    flip_a_bit(path)
    document = json.loads(path.with_suffix(".json").read_text())
    document["sha256"] = "0" * 64
    path.with_suffix(".json").write_text(json.dumps(document))


def spoil_manifest(path: Path) -> None:
    path.with_suffix(".json").write_text('{"format": 1, "table": [')


def put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "one bit": (flip_a_bit, "has other bytes"),
    "truncated": (truncate, "bytes, the ledger says"),
    "gone": (Path.unlink, "cannot be read: No such file"),
    "a folder": (put_a_folder, "bytes, the ledger says|cannot be read"),
    "manifest edited": (edit_manifest, "does not say what the ledger says"),
    "manifest spoilt": (spoil_manifest, "does not say what the ledger says"),
    "manifest gone": (lambda path: path.with_suffix(".json").unlink(), "cannot be read"),
    "both edited": (edit_both, "has other bytes"),
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.usefixtures("gone")
def test_a_damaged_archive_is_refused_and_nothing_changes(
    connection: Connection, tmp_path: Path, database_url: str, kind: str
) -> None:
    damage, message = DAMAGES[kind]
    (entry,) = entries(connection)
    damage(tmp_path / entry.archive.file)
    before = everything(database_url)
    with pytest.raises(TargetError, match=f"{NAME} cannot be restored: .*({message})"):
        restore(connection, tmp_path)
    assert (everything(database_url), content(connection, POLICY)) == (before, [])


@pytest.mark.usefixtures("gone")
def test_rows_that_arrive_otherwise_are_not_attached(connection: Connection, tmp_path: Path) -> None:
    """The last proof, after file, manifest and ledger agreed."""
    connection.execute("UPDATE ops.archive SET digest = digest + 1")
    (entry,) = entries(connection)
    path = tmp_path / entry.archive.manifest
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "digest": str(int(document["digest"]) + 1)}))
    with pytest.raises(TargetError, match="differ from those that were archived in same rows and sums"):
        restore(connection, tmp_path)
    assert connection.execute("SELECT to_regclass('staging.fraud_score_2024_01')").fetchone() == (None,)
    assert states(connection) == ["dropped"]


@pytest.mark.usefixtures("gone")
def test_a_leaf_is_not_restored_twice(connection: Connection, tmp_path: Path) -> None:
    restore(connection, tmp_path)
    with pytest.raises(TargetError, match=rf"dwh_parts\.{NAME} has days of 2024-01 already"):
        restore(connection, tmp_path)


IN_THE_WAY = {
    "a day": "CREATE TABLE dwh_parts.fraud_score_2024_01_15 PARTITION OF ml.fraud_score FOR VALUES FROM (20240115) TO"
             " (20240116)",
    "the quarter": "CREATE TABLE dwh_parts.other PARTITION OF ml.fraud_score FOR VALUES FROM (20240101) TO (20240401)",
    "odd bounds": "CREATE TABLE dwh_parts.odd PARTITION OF ml.fraud_score FOR VALUES FROM (20240110) TO (20240199)",
    "detached": f"CREATE TABLE dwh_parts.{NAME} (LIKE ml.fraud_score)",
    "staged": f"CREATE TABLE staging.{NAME} (LIKE ml.fraud_score)",
    "default with rows": "CREATE TABLE dwh_parts.rest PARTITION OF ml.fraud_score DEFAULT; INSERT INTO ml.fraud_score"
                         " VALUES (now(), 0, 20240103, 'a', 'b', 'allow', '{}')",
}  # fmt: skip


@pytest.mark.parametrize("kind", IN_THE_WAY)
@pytest.mark.usefixtures("gone")
def test_nothing_is_restored_where_something_stands(
    connection: Connection, tmp_path: Path, database_url: str, kind: str
) -> None:
    connection.execute(IN_THE_WAY[kind])
    before = everything(database_url)
    with pytest.raises(TargetError):
        restore(connection, tmp_path)
    assert everything(database_url) == before
    assert (states(connection), connection.execute("SELECT count(*) FROM ops.leaf_hold").fetchone()) == (
        ["dropped"],
        (0,),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ALTER TABLE ml.fraud_score RENAME band TO colour", "1 missing or of another type: band; 1 .*: colour"),
        ("ALTER TABLE ml.fraud_score ALTER fraud_score TYPE real", "1 missing or of another type: fraud_score"),
        ("ALTER TABLE ml.fraud_score DROP reasons", "1 missing or of another type: reasons"),
        ("ALTER TABLE ml.fraud_score ADD note text NOT NULL", "1 that the archive cannot fill: note"),
    ],
)
@pytest.mark.usefixtures("gone")
def test_other_columns_are_refused(
    connection: Connection, tmp_path: Path, database_url: str, change: str, message: str
) -> None:
    connection.execute(change)
    before = everything(database_url)
    with pytest.raises(TargetError, match=message):
        restore(connection, tmp_path)
    assert everything(database_url) == before


def test_columns_that_came_since_are_filled(connection: Connection, tmp_path: Path, gone: list[str]) -> None:
    connection.execute("ALTER TABLE ml.fraud_score ADD note text, ADD weight integer NOT NULL DEFAULT 7")
    restore(connection, tmp_path)
    found = connection.execute("SELECT DISTINCT note, weight FROM ml.fraud_score").fetchall()
    assert (found, len(content(connection, POLICY))) == ([(None, 7)], len(gone))


def test_rows_that_came_after_the_drop_come_back_too(connection: Connection, tmp_path: Path, gone: list[str]) -> None:
    """A leaf made anew for late rows has the name of the one that was dropped: neither archive replaces the other."""
    new_leaf(connection, POLICY, [{**archives.ROWS[SCORES][1], "transaction_id": "late"}])
    late = archive_and_drop(connection, tmp_path)
    assert states(connection) == ["dropped", "dropped"]
    restore(connection, tmp_path, restorable(connection, POLICY, NAME, tmp_path))
    assert content(connection, POLICY) == sorted(gone + late)
    archive_and_drop(connection, tmp_path)
    restore(connection, tmp_path, restorable(connection, POLICY, NAME, tmp_path, entries(connection)[0].archive.file))


@pytest.mark.usefixtures("gone")
def test_archives_of_one_leaf_that_contradict_each_other(connection: Connection, tmp_path: Path) -> None:
    new_leaf(connection, POLICY, [{**archives.ROWS[SCORES][1], "fraud_score": 1}])
    archive_and_drop(connection, tmp_path)
    both = restorable(connection, POLICY, "2024-01", tmp_path)
    assert len(both.archives) == 2
    with pytest.raises(TargetError, match="2 archives have keys in common") as caught:
        restore(connection, tmp_path, both)
    assert "--file" in caught.value.remedy
    first = entries(connection)[0].archive
    restore(connection, tmp_path, restorable(connection, POLICY, NAME, tmp_path, Path(first.file).name))
    assert states(connection) == ["restored", "dropped"]


@pytest.mark.usefixtures("gone")
def test_what_was_not_archived_here_is_not_found(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no archive of a leaf fraud_score_2024_1") as caught:
        restorable(connection, POLICY, "fraud_score_2024_1", tmp_path)
    assert NAME in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no archive of a leaf") as caught:
        restorable(connection, POLICIES[LOG], "access_log_2024_01", tmp_path)
    assert "nothing was archived yet" in caught.value.remedy
    (tmp_path / SCORES / "foreign.parquet").touch()
    with pytest.raises(ConfigurationError, match="another warehouse wrote it"):
        restorable(connection, POLICY, NAME, tmp_path, "foreign.parquet")


def test_tables_that_are_loaded_together_come_back_together(connection: Connection, tmp_path: Path) -> None:
    facts, summary = POLICIES[FACTS], POLICIES[SUMMARY]
    for policy in (facts, summary):
        new_leaf(connection, policy)
    before = [archive_and_drop(connection, tmp_path, policy.name) for policy in (facts, summary)]
    found = restorable(connection, summary, "2024-01", tmp_path)
    beside, said = companion(connection, tuple(POLICIES.values()), found, tmp_path, ZONE)
    assert said is None
    assert beside is not None
    assert beside.leaf == "fact_transactions_2024_01"
    restore(connection, tmp_path, found, beside)
    assert [content(connection, policy) for policy in (facts, summary)] == before
    assert companion(connection, tuple(POLICIES.values()), found, tmp_path, ZONE) == (None, None)


def test_both_leaves_come_back_or_none(connection: Connection, tmp_path: Path) -> None:
    facts, summary = POLICIES[FACTS], POLICIES[SUMMARY]
    for policy in (facts, summary):
        new_leaf(connection, policy)
        archive_and_drop(connection, tmp_path, policy.name)
    connection.execute("CREATE TABLE dwh_parts.odd PARTITION OF dwh.fact_daily_client_summary"
                       " FOR VALUES FROM (20240110) TO (20240199)")  # fmt: skip
    with pytest.raises(TargetError, match="overlap"):
        restore(connection, tmp_path, wanted(connection, facts), wanted(connection, summary))
    assert (content(connection, facts), states(connection)) == ([], ["dropped", "dropped"])


def test_a_table_left_alone_is_told_of(connection: Connection, tmp_path: Path) -> None:
    facts = POLICIES[FACTS]
    new_leaf(connection, facts)
    archive_and_drop(connection, tmp_path, FACTS)
    beside, said = companion(connection, tuple(POLICIES.values()), wanted(connection, facts), tmp_path, ZONE)
    assert beside is None
    assert said is not None
    assert said.startswith("dwh.fact_daily_client_summary has neither a leaf nor an archive for 2024-01")


def test_the_leaf_is_made_for_new_rows_again(connection: Connection, tmp_path: Path) -> None:
    new_leaf(connection, POLICIES[LOG])
    archive_and_drop(connection, tmp_path, LOG)
    restore(connection, tmp_path, wanted(connection, POLICIES[LOG]))
    connection.execute("INSERT INTO audit.access_log (accessed_at, object, purpose) VALUES ('2024-01-09', 'a', 'b')")
    assert len(content(connection, POLICIES[LOG])) == 3


def test_a_staged_leaf_of_another_is_left_alone(connection: Connection, tmp_path: Path, gone: list[str]) -> None:
    with connection.transaction():
        create_aside(connection, POLICY, JANUARY, ZONE)
    with pytest.raises(TargetError, match="interrupted there"):
        restore(connection, tmp_path)
    connection.execute(f"DROP TABLE staging.{NAME}")
    restore(connection, tmp_path)
    assert content(connection, POLICY) == gone
