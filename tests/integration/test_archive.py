"""Archive and restore: every bit of a leaf comes back, and nothing is dropped that is not proven to be kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from partitions.archive import archive_leaf, drop_archived, is_archived
from partitions.restore import restore_leaves
from tests import archives
from tests.archives import HOLD, LOG, POLICIES, ZONE, content, detach, new_leaf, wanted
from warehouse.connection import Connection, connect

LOG_POLICY = POLICIES[LOG]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        yield opened


def restore(connection: Connection, folder: Path, table: str = LOG) -> None:
    restore_leaves(connection, [wanted(connection, POLICIES[table])], folder, ZONE, HOLD)


@pytest.mark.parametrize("table", POLICIES)
def test_a_leaf_comes_back_to_the_bit(connection: Connection, tmp_path: Path, table: str) -> None:
    policy = POLICIES[table]
    new_leaf(connection, policy)
    before = content(connection, policy)
    leaf = archives.leaf_of(connection, policy)
    assert archive_leaf(connection, policy, leaf, tmp_path).kept is False
    leaf = detach(connection, policy)
    assert is_archived(connection, policy, leaf, tmp_path)
    drop_archived(connection, policy, leaf, tmp_path)
    assert (content(connection, policy), archives.states(connection)) == ([], ["dropped"])
    restore(connection, tmp_path, table)
    assert content(connection, policy) == before
    restored = archives.leaf_of(connection, policy)
    assert (restored.schema, restored.held_until, restored.all_frozen) == ("dwh_parts", HOLD, True)
    assert archives.states(connection) == ["restored"]
    assert is_archived(connection, policy, restored, tmp_path)
