"""An archive or a restore that is killed, or whose disk is full, leaves nothing behind that the next one trips over."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from partitions.archive import archive_leaf, drop_archived, is_archived
from partitions.archive_ledger import entries
from partitions.restore import restore_leaves
from tests.archives import (
    HOLD,
    POLICIES,
    SCORES,
    ZONE,
    content,
    detach,
    files,
    leaf_of,
    new_leaf,
    states,
    wanted,
)
from warehouse.connection import Connection, connect
from warehouse.errors import ConfigurationError, TransientTargetError

POLICY = POLICIES[SCORES]
ROOT = Path(__file__).resolve().parents[2]

# Runs one step in a process of its own and dies right after the named function did its work.
DRIVER = """
import os, signal, sys
from importlib import import_module
from pathlib import Path

from partitions import archive, archive_file, restore
from tests.archives import HOLD, POLICIES, SCORES, ZONE, leaf_of, wanted
from warehouse.connection import connect

step, place, url, folder = sys.argv[1:]
module_name, function_name, turn = place.split(":")
module, calls = import_module(module_name), []
original = getattr(module, function_name)

def fatal(*arguments, **options):
    result = original(*arguments, **options)
    calls.append(function_name)
    if len(calls) == int(turn):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(module, function_name, fatal)
policy = POLICIES[SCORES]
with connect(url) as connection:
    if step == "restore":
        restore.restore_leaves(connection, [wanted(connection, policy)], Path(folder), ZONE, HOLD)
    else:
        getattr(archive, step)(connection, policy, leaf_of(connection, policy), Path(folder))
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        new_leaf(opened, POLICY)
        yield opened


def die(step: str, place: str, connection: Connection, folder: Path) -> None:
    command = [sys.executable, "-c", DRIVER, step, place, connection.info.dsn, str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("partitions.archive:measure:1", []),
        ("partitions.archive_write:write_rows:1", [".tmp"]),
        ("partitions.archive_write:sha256_of:1", [".tmp"]),
        ("partitions.archive_write:as_json:1", [".tmp", ".tmp"]),
        ("partitions.archive_write:private_file:1", [".tmp", ".tmp"]),
        ("partitions.archive_file:_sync:2", [".json", ".tmp"]),
        ("partitions.archive:write_archive:1", [".json", ".parquet"]),
        ("partitions.archive:record:1", [".json", ".parquet"]),
    ],
)
def test_an_archive_killed_anywhere_is_made_by_the_next(
    connection: Connection, tmp_path: Path, place: str, found: list[str]
) -> None:
    die("archive_leaf", place, connection, tmp_path)
    assert (list(files(tmp_path)), states(connection)) == (found, [])
    archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path)
    assert (list(files(tmp_path)), states(connection)) == ([".json", ".parquet"], ["archived"])
    assert is_archived(connection, POLICY, leaf_of(connection, POLICY), tmp_path)


@pytest.mark.parametrize("place", ["partitions.archive:_current:1", "partitions.archive:set_state:1"])
def test_a_drop_killed_before_its_end_has_dropped_nothing(connection: Connection, tmp_path: Path, place: str) -> None:
    rows = content(connection, POLICY)
    archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path)
    leaf = detach(connection, POLICY)
    die("drop_archived", place, connection, tmp_path)
    assert (leaf_of(connection, POLICY).name, states(connection)) == (leaf.name, ["archived"])
    drop_archived(connection, POLICY, leaf, tmp_path)
    restore_leaves(connection, [wanted(connection, POLICY)], tmp_path, ZONE, HOLD)
    assert content(connection, POLICY) == rows


@pytest.mark.parametrize(
    "place",
    [
        "partitions.restore:create_aside:1",
        "partitions.restore:copy_frames:1",
        "partitions.restore:index_and_analyse:1",
        "partitions.restore:attach:1",
        "partitions.restore:set_state:1",
    ],
)
def test_a_restore_killed_anywhere_has_restored_nothing(connection: Connection, tmp_path: Path, place: str) -> None:
    rows = content(connection, POLICY)
    archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path)
    drop_archived(connection, POLICY, detach(connection, POLICY), tmp_path)
    die("restore", place, connection, tmp_path)
    left = connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'fraud_score_2024%'").fetchall()
    assert (content(connection, POLICY), states(connection), left) == ([], ["dropped"], [])
    restore_leaves(connection, [wanted(connection, POLICY)], tmp_path, ZONE, HOLD)
    assert (content(connection, POLICY), states(connection)) == (rows, ["restored"])


# 400,000 rows of 600 bytes.
MANY = """
    INSERT INTO ml.fraud_score
    SELECT scored_at, random(), date_key, n::text, repeat(md5(n::text), 15), band, ARRAY[md5(n::text)]
    FROM ml.fraud_score, generate_series(1, 400000) AS n WHERE date_key = 20240101
"""


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 1000, 1500])
def test_a_disk_that_fills_up_is_told_and_nothing_is_left(connection: Connection, tmp_path: Path, size: int) -> None:
    leaf = leaf_of(connection, POLICY)
    with no_file_longer_than(size), pytest.raises(TransientTargetError, match=r"no room .* MiB free, about .* needed"):
        archive_leaf(connection, POLICY, leaf, tmp_path)
    assert (list(files(tmp_path)), states(connection), len(content(connection, POLICY))) == ([], [], 2)
    archive_leaf(connection, POLICY, leaf, tmp_path)
    assert states(connection) == ["archived"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk(connection: Connection, tmp_path: Path) -> None:
    connection.execute("INSERT INTO ml.fraud_score SELECT scored_at, random(), date_key, md5(n::text), '', band, '{}'"
                       " FROM ml.fraud_score, generate_series(1, 30000) AS n WHERE date_key = 20240101")  # fmt: skip
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        with pytest.raises(TransientTargetError, match="No space left on device") as caught:
            archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path)
        assert caught.value.facts["free_bytes"] <= 160 * 1024
        assert (list(files(tmp_path)), states(connection)) == ([], [])
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else(connection: Connection, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        archive_leaf(connection, POLICY, leaf_of(connection, POLICY), tmp_path)
    assert states(connection) == []


def test_memory_does_not_grow_with_the_leaf(connection: Connection, tmp_path: Path) -> None:
    """240 MB of rows; what a leaf of two rows takes (programs, threads) is not counted."""
    program = f"""
import resource
from pathlib import Path
from partitions import archive, restore
from tests.archives import HOLD, POLICIES, SCORES, ZONE, detach, leaf_of, wanted
from warehouse.connection import connect

folder, policy = Path({str(tmp_path)!r}), POLICIES[SCORES]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
with connect({connection.info.dsn!r}) as connection:
    archive.archive_leaf(connection, policy, leaf_of(connection, policy), folder)
    before = peak()
    connection.execute({MANY!r})
    archive.archive_leaf(connection, policy, leaf_of(connection, policy), folder)
    archived = peak()
    leaf = detach(connection, policy)
    archive.drop_archived(connection, policy, leaf, folder)
    last = wanted(connection, policy)
    restore.restore_leaves(connection, [restore.Wanted(policy, last.archives[-1:])], folder, ZONE, HOLD)
    print(before, archived, peak())
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    before, archived, restored = map(int, ended.stdout.split())
    sys.stdout.write(f"peak memory: {before} MiB; archiving 240 MB {archived} MiB, and restoring them {restored} MiB\n")
    assert max(archived, restored) - before < 130
    assert entries(connection)[-1].archive.contents.rows == 400_002
