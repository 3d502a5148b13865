"""What can be wrong with leaves, disk and archives: a clear error from the real command, and nothing is changed."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from partitions.grain import Grain, Span
from tests.loading import Done, cauri, execute, rows_of, value_of

TODAY = datetime.now(UTC).date()
PAST, NOW = (Grain.MONTH.span_of(Grain.MONTH.back(TODAY, months)) for months in (8, 0))
POLICIES = """
[[table]]
schema = "dwh"
table = "events"
key = "date_key"
unique = [["id"]]
premake = 1
retention = { months = 3 }
at_end = "archive"
"""

Command = Callable[..., Done]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Command:
    """The commands, on a table with a leaf that is past and one that is not."""
    execute(database_url, "CREATE TABLE dwh.events (id bigint NOT NULL, date_key integer NOT NULL)"
                          " PARTITION BY RANGE (date_key)")  # fmt: skip
    for span in (PAST, NOW):
        execute(database_url, f"CREATE TABLE dwh_parts.{span.leaf_of('events')} PARTITION OF dwh.events"
                              f" FOR VALUES FROM ({span.first_key}) TO ({span.end_key})")  # fmt: skip
        execute(database_url, f"INSERT INTO dwh.events SELECT n, {span.first_key} FROM generate_series(1, 100) n")
    policies = tmp_path / "policies.toml"
    policies.write_text(POLICIES)

    def command(*arguments: str, **variables: str) -> Done:
        surroundings = {"CAURI_PARTITIONS": str(policies), **variables}
        return cauri("partitions", *arguments, url=database_url, home=tmp_path / "home", variables=surroundings)

    return command


def leaves(url: str) -> dict[str, tuple[str | None, int]]:
    """Bounds, if it is attached, and rows of each table that is a leaf or looks like one."""
    found = rows_of(url, "SELECT oid::regclass::text, pg_get_expr(relpartbound, oid) FROM pg_class"
                         " WHERE relname LIKE 'events%' AND relkind = 'r'")  # fmt: skip
    return {name: (bounds, value_of(url, f"SELECT count(*) FROM {name}")) for name, bounds in found}


def loose(url: str, name: str, first: date, end: date) -> None:
    """A table made by hand, with a CHECK of its days."""
    span = Span(first, end)
    execute(url, f"CREATE TABLE dwh_parts.{name} (LIKE dwh.events,"
                 f" CHECK (date_key >= {span.first_key} AND date_key < {span.end_key}))")  # fmt: skip
    execute(url, f"INSERT INTO dwh_parts.{name} SELECT n, {span.first_key} FROM generate_series(1, 7) n")


def test_tables_made_by_hand_that_overlap_leaves_are_told_of_and_left(database_url: str, run: Command) -> None:
    run("apply")
    previous = Grain.MONTH.span_of(Grain.MONTH.back(TODAY, 1))
    loose(database_url, "events_by_hand", previous.first.replace(day=15), NOW.first.replace(day=15))
    before = leaves(database_url)
    for command in ("plan", "apply"):
        done = run(command)
        assert done.code == 99, done.told
        assert "dwh_parts.events_by_hand has days" in done.out
        assert "for which there is another leaf" in done.out
        assert "1 problem(s) are left to a person" in done.err
    assert leaves(database_url) == before


def test_tables_made_by_hand_that_overlap_each_other_are_not_both_attached(database_url: str, run: Command) -> None:
    """Days that no leaf has any more: the first comes back, the other one is told of."""
    run("apply")
    previous = Grain.MONTH.span_of(Grain.MONTH.back(TODAY, 1))
    execute(database_url, f"DROP TABLE IF EXISTS dwh_parts.{previous.leaf_of('events')}")
    loose(database_url, "events_first", previous.first, previous.first.replace(day=20))
    loose(database_url, "events_second", previous.first.replace(day=10), previous.end)
    done = run("apply")
    assert (done.code, "dwh_parts.events_second has days" in done.out) == (0, True), done.told
    assert leaves(database_url)["dwh_parts.events_second"] == (None, 7)
    assert rows_of(database_url, "SELECT count(*) FROM dwh.events") == [(107,)]


def test_a_leaf_in_use(database_url: str, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partitions.turns.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr("partitions.detach.LOOKING_SECONDS", 0.2)
    rows = "SELECT count(*) FROM dwh.events"
    with psycopg.connect(database_url, application_name="month end") as reader:
        # Whoever began a moment ago is no long transaction yet: the detach would begin, and be told of half done.
        assert reader.execute(f"{rows}, pg_sleep(0.4)").fetchone() == (200,)
        done = run("apply")
        assert done.code == 75
        assert f"backend {reader.info.backend_pid} (month end, idle in transaction" in done.err
        assert reader.execute(rows).fetchone() == (200,)
    assert (run("apply").code, rows_of(database_url, rows)) == (0, [(100,)])


def test_no_disk_for_the_archive(database_url: str, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=0, used=0, free=0))
        done = run("apply")
    told = " ".join(done.err.split())
    assert (done.code, "no room for the archive in" in told, "set CAURI_ARCHIVE" in told) == (75, True, True), told
    bounds, rows = leaves(database_url)[f"dwh_parts.{PAST.leaf_of('events')}"]
    assert (bool(bounds), rows) == (True, 100)
    assert run("apply").code == 0


def test_an_archive_folder_that_is_none(database_url: str, run: Command, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("no folder")
    done = run("apply", CAURI_ARCHIVE=str(path))
    assert (done.code, "cannot be used" in done.err) == (2, True), done.err
    assert rows_of(database_url, "SELECT count(*) FROM dwh.events") == [(200,)]


@pytest.mark.parametrize("kind", ["file", "manifest", "missing"])
def test_a_damaged_archive(database_url: str, run: Command, tmp_path: Path, kind: str) -> None:
    assert run("apply").code == 0
    (path,) = (tmp_path / "home" / "archive").rglob("*.parquet")
    match kind:
        case "file":
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        case "manifest":
            beside = path.with_suffix(".json")
            beside.write_text(beside.read_text().replace('"rows": 100', '"rows": 99'))
        case _:
            path.unlink()
    before = leaves(database_url)
    done = run("restore", "events", str(PAST))
    told = " ".join(done.err.split())
    assert done.code == 1, told
    assert f"{PAST.leaf_of('events')} cannot be restored: " in told
    assert "put file and manifest back from a backup" in told
    assert leaves(database_url) == before
    assert rows_of(database_url, "SELECT state FROM ops.archive") == [("dropped",)]
    verified = run("archives", "--verify")
    assert (verified.code, "damaged: " in verified.out) == (1, True)
