"""Apply on a real server: the desired state is reached, once, and again it is nothing to do."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from partitions import turns
from partitions.actions import ACTIONS, Site, detach
from partitions.apply import Applied, apply
from partitions.catalog import Table, read_catalog
from partitions.grain import Grain, Span
from partitions.plan import plan
from partitions.policy import Policy, read_policies
from partitions.steps.remove import DetachLeaf
from tests.loading import execute, rows_of, value_of
from tests.notices import notices
from warehouse.connection import Connection, connect
from warehouse.errors import LockBusyError, TargetError

TODAY = date(2024, 5, 15)


def events(**changes: Any) -> Policy:
    values = {
        "schema": "dwh",
        "table": "events",
        "key": "moment",
        "key_kind": "timestamptz",
        "unique": [["id"]],
        "premake": 1,
        **changes,
    }
    return Policy.model_validate(values)


KEPT = events(at_end="archive", retention={"months": 3})


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        opened.execute("CREATE TABLE dwh.events (id bigint NOT NULL, moment timestamptz NOT NULL, note text)"
                       " PARTITION BY RANGE (moment)")  # fmt: skip
        opened.execute("CREATE INDEX events_moment ON dwh.events (moment, id)")
        yield opened


@pytest.fixture
def site(connection: Connection, database_url: str, tmp_path: Path) -> Site:
    return Site(connection, database_url, "UTC", tmp_path / "archive")


def settle(connection: Connection) -> None:
    """Let what this session counted be seen by the next query."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")


def run(site: Site, *policies: Policy, today: date = TODAY) -> list[str]:
    return [step.line for step, _ in done(site, *policies, today=today).steps]


def done(site: Site, *policies: Policy, today: date = TODAY) -> Applied:
    settle(site.connection)
    applied = apply(site, policies, today=today)
    assert applied.failures == {}
    return applied


def table_of(site: Site, policy: Policy) -> Table:
    settle(site.connection)
    return read_catalog(site.connection, [policy], "UTC").tables[policy.name]


def filled(site: Site, rows_a_month: int = 50) -> None:
    """January to June 2024, with rows."""
    run(site, events(), today=date(2024, 1, 10))
    run(site, events(), today=TODAY)
    site.connection.execute(
        "INSERT INTO dwh.events SELECT m * 1000 + n, make_timestamptz(2024, m, 1 + n %% 28, 12, 0, 0, 'UTC'), 'x'"
        " FROM generate_series(1, 6) m, generate_series(1, %s) n",
        (rows_a_month,),
    )


def count(site: Site) -> int:
    return int(value_of(site.url, "SELECT count(*) FROM dwh.events"))


def test_a_new_warehouse_gets_its_leaves_and_then_nothing(site: Site) -> None:
    policies = read_policies()
    first = run(site, *policies)
    assert len([line for line in first if line.startswith("+ create")]) == 16
    assert run(site, *policies) == []
    for policy in policies:
        assert [str(leaf.span) for leaf in table_of(site, policy).leaves] == [
            "2024-05",
            "2024-06",
            "2024-07",
            "2024-08",
        ]
    assert rows_of(site.url, "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace") == []
    recorded = rows_of(site.url, "SELECT line FROM ops.partition_step ORDER BY step_id")
    assert [line for (line,) in recorded] == first


def test_closed_leaves_are_frozen_and_analysed(site: Site) -> None:
    filled(site)
    lines = run(site, events())
    assert [line for line in lines if "freeze" in line] == [
        f"~ vacuum, freeze and analyse events_2024_0{month}" for month in (1, 2, 3, 4)
    ]
    assert run(site, events()) == []
    table = table_of(site, events())
    assert all(leaf.all_frozen for leaf in table.leaves[:4])
    assert table.rows == 300


def test_a_leaf_whose_time_is_over_is_archived_detached_and_dropped(site: Site) -> None:
    filled(site)
    lines = [line for line in run(site, KEPT) if "events_2024_01" in line]
    assert lines == [
        "~ archive events_2024_01 (2024-01), and compare",
        "- detach events_2024_01 (2024-01)",
        "- compare with the archive once more, and drop events_2024_01 (2024-01)",
    ]
    assert count(site) == 250
    assert run(site, KEPT) == []
    assert len(list(site.archive.rglob("*.parquet"))) == 1
    assert table_of(site, KEPT).orphans == ()


def test_an_archive_that_fails_changes_nothing(site: Site, tmp_path: Path) -> None:
    filled(site)
    (tmp_path / "archive").write_text("no folder")
    applied = apply(site, [KEPT], today=TODAY)
    assert list(applied.failures) == ["dwh.events"]
    assert count(site) == 300
    assert table_of(site, KEPT).leaves[0].name == "events_2024_01"
    (tmp_path / "archive").unlink()
    run(site, KEPT)
    assert count(site) == 250


def test_one_table_that_fails_does_not_stop_the_others(site: Site, tmp_path: Path) -> None:
    filled(site)
    (tmp_path / "archive").write_text("no folder")
    applied = apply(site, [KEPT, *read_policies()], today=TODAY)
    assert list(applied.failures) == ["dwh.events"]
    assert len([step for step, _ in applied.steps if step.kind == "create"]) == 16


def test_a_kill_between_detach_and_drop(site: Site) -> None:
    filled(site)
    run(site, events(at_end="detach", retention={"months": 3}))
    assert [leaf.name for leaf in table_of(site, KEPT).orphans] == ["events_2024_01"]
    lines = run(site, KEPT)
    assert lines == [
        "~ archive events_2024_01 (2024-01), and compare",
        "- compare with the archive once more, and drop events_2024_01 (2024-01)",
    ]
    assert run(site, KEPT) == []


def test_a_longer_retention_brings_a_detached_leaf_back_without_a_scan(site: Site) -> None:
    filled(site)
    run(site, events(at_end="detach", retention={"months": 3}))
    assert count(site) == 250
    with notices(site.connection) as said:
        lines = run(site, events(at_end="detach", retention={"months": 12}))
    assert lines[0] == "+ attach events_2024_01 for 2024-01"
    assert any("implied by existing constraints" in text for text in said)
    assert count(site) == 300
    assert value_of(site.url, "SELECT count(*) FROM pg_constraint WHERE conrelid = 'dwh_parts.events_2024_01'::regclass"
                              " AND contype = 'c'") == 0  # fmt: skip


def test_an_orphan_with_rows_of_other_days_is_refused(site: Site) -> None:
    filled(site)
    execute(site.url, "CREATE TABLE dwh_parts.events_2023_12 (LIKE dwh.events)")
    execute(site.url, "INSERT INTO dwh_parts.events_2023_12 VALUES (1, '2022-01-01', 'x')")
    applied = apply(site, [events()], today=TODAY)
    assert "events_2023_12" in str(applied.failures["dwh.events"])
    assert count(site) == 300
    execute(site.url, "UPDATE dwh_parts.events_2023_12 SET moment = '2023-12-05'")
    run(site, events())
    assert count(site) == 301
    assert run(site, events()) == []


def test_indexes_are_built_rebuilt_and_completed(site: Site) -> None:
    filled(site)
    run(site, events())
    execute(site.url, "DROP INDEX dwh_parts.events_2024_02_id")
    execute(site.url, "CREATE INDEX events_note ON ONLY dwh.events (note)")
    execute(site.url, "DROP INDEX dwh_parts.events_2024_03_id")
    execute(site.url, "INSERT INTO dwh_parts.events_2024_03 VALUES (1, '2024-03-05', 'x'), (1, '2024-03-05', 'x')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(site.url, "CREATE UNIQUE INDEX CONCURRENTLY events_2024_03_id ON dwh_parts.events_2024_03 (id)")
    execute(site.url, "DELETE FROM dwh_parts.events_2024_03 WHERE id = 1")
    lines = run(site, events())
    assert "+ build the index (id) of events_2024_02, concurrently" in lines
    assert "~ rebuild the index events_2024_03_id of events_2024_03, concurrently" in lines
    assert "~ attach the indexes of 6 leaves to events_note" in lines
    table = table_of(site, events())
    assert all(index.valid for index in table.indexes)
    assert all(len(leaf.indexes) == 3 and all(index.valid for index in leaf.indexes) for leaf in table.leaves)
    assert run(site, events()) == []


def test_rights_on_a_leaf_are_revoked(site: Site) -> None:
    filled(site)
    run(site, events())
    execute(site.url, "GRANT SELECT ON dwh_parts.events_2024_02 TO PUBLIC")
    assert run(site, events()) == ["- revoke the rights of public on events_2024_02"]
    assert table_of(site, events()).leaves[1].grants == ()


def test_leftovers_in_staging_are_thrown_away(site: Site) -> None:
    filled(site)
    run(site, events())
    execute(site.url, "CREATE TABLE staging.events_2024_07 (LIKE dwh.events)")
    assert len(run(site, events(), today=date(2024, 6, 2))) > 1
    assert rows_of(site.url, "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace") == []


def test_a_long_transaction_is_named_and_nothing_is_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.5)
    filled(site)
    dropping = events(at_end="drop", retention={"months": 3})
    with psycopg.connect(site.url, application_name="long report") as reader:
        assert reader.execute("SELECT count(*) FROM dwh.events").fetchone() == (300,)
        error = apply(site, [dropping], today=TODAY).failures["dwh.events"]
        assert isinstance(error, LockBusyError)
        assert error.exit_code == 75
        assert f"backend {reader.info.backend_pid} (long report, idle in transaction" in error.message
        assert table_of(site, dropping).leaves[0].detaching
    lines = run(site, dropping)
    assert lines[:1] == ["- finish the detach of events_2024_01 (2024-01) that was interrupted"]
    assert run(site, dropping) == []
    assert count(site) == 250


def test_the_last_leaf_stays(site: Site) -> None:
    """Even if a hand removes the others between plan and step."""
    run(site, events(premake=0))
    table = table_of(site, events())
    with pytest.raises(TargetError, match="the last leaf"):
        detach(site, DetachLeaf(events(), table.leaves[0]))


def test_every_step_may_be_repeated(site: Site) -> None:
    """A plan that is out of date does no harm: what is so already is skipped."""
    filled(site)
    settle(site.connection)
    execute(site.url, "GRANT SELECT ON dwh_parts.events_2024_02 TO PUBLIC")
    found = plan([KEPT], read_catalog(site.connection, [KEPT], "UTC"), TODAY + timedelta(31))
    for step in found.steps:
        ACTIONS[step.kind](site, step)
        ACTIONS[step.kind](site, step)
    # Only now are the rows of each leaf known.
    assert run(site, KEPT, today=TODAY + timedelta(31)) in ([], ["~ analyse dwh.events as a whole"])


def test_readers_are_not_stopped_by_a_round(site: Site) -> None:
    filled(site, rows_a_month=500)
    failures: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        try:
            with psycopg.connect(site.url, autocommit=True) as reader:
                reader.execute("SET lock_timeout = '2s'")
                while not stop.is_set():
                    reader.execute("SELECT count(*), min(moment) FROM dwh.events").fetchall()
                    reader.execute("SELECT * FROM dwh.events WHERE moment = '2024-04-05'").fetchall()
        except Exception as exc:
            failures.append(exc)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        run(site, KEPT)
        run(site, KEPT, today=TODAY + timedelta(62))
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert run(site, KEPT, today=TODAY + timedelta(62)) == []


@pytest.mark.parametrize(
    ("where", "leaf_count"),
    [
        ("moment >= '2024-02-01' AND moment < '2024-03-01'", 1),
        ("moment >= '2024-05-20'", 2),
        ("moment = '2024-04-05 10:00+00'", 1),
        ("id = 7", 6),
    ],
)
def test_queries_prune(site: Site, where: str, leaf_count: int) -> None:
    filled(site)
    explained = "\n".join(line for (line,) in rows_of(site.url, f"EXPLAIN SELECT * FROM dwh.events WHERE {where}"))
    names = {leaf.name for leaf in table_of(site, events()).leaves}
    assert sum(f"on {name}" in explained for name in names) == leaf_count, explained


def test_a_leaf_made_by_hand_is_gone_around(site: Site) -> None:
    by_hand = Span(date(2024, 4, 20), date(2024, 5, 10))
    execute(site.url, "CREATE TABLE dwh_parts.mine PARTITION OF dwh.events"
                      " FOR VALUES FROM ('2024-04-20 00:00+00') TO ('2024-05-10 00:00+00')")  # fmt: skip
    run(site, events())
    assert [leaf.span for leaf in table_of(site, events()).leaves] == [
        by_hand,
        Span(date(2024, 5, 10), date(2024, 6, 1)),
        Grain.MONTH.span_of(date(2024, 6, 1)),
    ]
    assert run(site, events()) == []


def test_odd_bounds_are_reported_and_left_alone(site: Site) -> None:
    execute(site.url, "CREATE TABLE dwh_parts.odd PARTITION OF dwh.events"
                      " FOR VALUES FROM ('2024-04-20 07:30+00') TO (MAXVALUE)")  # fmt: skip
    applied = done(site, events())
    assert [step.kind for step, _ in applied.steps] == ["analyse table"]
    assert "dwh_parts.odd are not whole days" in applied.plan.problems[0].text


def test_rows_of_a_default_partition_get_leaves(site: Site) -> None:
    filled(site)
    execute(site.url, "CREATE TABLE dwh_parts.rest PARTITION OF dwh.events DEFAULT")
    execute(site.url, "INSERT INTO dwh.events SELECT 90000 + n, '2023-11-05', 'late' FROM generate_series(1, 40) n")
    lines = run(site, events())
    assert lines[0] == "~ move the rows of the DEFAULT partition dwh_parts.rest into leaves, and drop it"
    table = table_of(site, events())
    assert table.default is None
    assert [str(leaf.span) for leaf in table.leaves][:3] == ["2023-11", "2023-12", "2024-01"]
    assert count(site) == 340
    assert run(site, events()) == []


def test_an_ordinary_table_is_adopted(site: Site) -> None:
    execute(site.url, "DROP TABLE dwh.events")
    execute(site.url, "CREATE TABLE dwh.events (id bigint NOT NULL, moment timestamptz NOT NULL, note text)")
    execute(site.url, "INSERT INTO dwh.events SELECT n, '2024-01-01'::timestamptz + n * interval '1 hour', 'x'"
                      " FROM generate_series(1, 3000) n")  # fmt: skip
    assert run(site, events())[0] == "~ make leaves of the rows of dwh.events, which is not divided yet"
    assert count(site) == 3000
    assert {str(leaf.span) for leaf in table_of(site, events()).leaves} >= {"2024-01", "2024-02", "2024-05", "2024-06"}
    assert run(site, events()) == []


def test_the_grain_of_leaves_follows_the_policy(site: Site) -> None:
    filled(site)
    weekly = events(grain="week", regrain=True, at_end="archive", retention={"months": 3})
    run(site, weekly)
    table = table_of(site, weekly)
    assert {leaf.span.grain for leaf in table.leaves[1:-1] if leaf.span} == {Grain.WEEK}
    assert run(site, weekly) == []
    monthly = events(regrain=True)
    before = count(site)
    run(site, monthly)
    assert count(site) == before
    assert {leaf.span.grain for leaf in table_of(site, monthly).leaves[1:] if leaf.span} <= {Grain.MONTH, None}
    assert run(site, monthly) == []
