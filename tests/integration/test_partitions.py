"""Leaves: built aside, attached without a scan and without stopping readers, and pruned."""

import threading
import time
from datetime import date
from typing import Any

import psycopg
import pytest

from engine.aggregates import refresh_views
from partitions import turns
from partitions.catalog import read_catalog
from partitions.coverage import attached_spans, built_spans
from partitions.grain import Grain, Span
from partitions.leaves import attach, create_aside, create_attached, drop_staged, index_and_analyse
from partitions.policy import Policy, facts_and_summary, read_policies
from tests.loading import SERVICE, execute, load, rows_of, transaction, value_of, write_feed
from tests.notices import notices
from warehouse.connection import Connection, connect
from warehouse.errors import LockBusyError, TransientTargetError

LOADED = facts_and_summary(read_policies())
JANUARY, MARCH = Grain.MONTH.span_of(date(2024, 1, 1)), Grain.MONTH.span_of(date(2024, 3, 1))


def build(connection: Connection, span: Span) -> None:
    with connection.transaction():
        for policy in LOADED:
            create_aside(connection, policy, span, "UTC")
            index_and_analyse(connection, policy, span)


def attach_both(connection: Connection, span: Span) -> None:
    attach(connection, [(policy, span) for policy in LOADED], "UTC")


def drop_both(connection: Connection, span: Span) -> None:
    for policy in LOADED:
        drop_staged(connection, policy, span)


def leaf_names(url: str) -> list[str]:
    return [name for (name,) in rows_of(url, "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c"
                                             " ON c.oid = inhrelid WHERE c.relkind = 'r' ORDER BY 1")]  # fmt: skip


def test_a_leaf_is_built_in_staging_and_attached(database_url: str, connection: Connection) -> None:
    build(connection, JANUARY)
    assert (built_spans(connection), attached_spans(connection)) == ({JANUARY}, set())
    attach_both(connection, JANUARY)
    assert (built_spans(connection), attached_spans(connection)) == (set(), {JANUARY})
    assert leaf_names(database_url) == [
        "dwh_parts.fact_daily_client_summary_2024_01",
        "dwh_parts.fact_transactions_2024_01",
    ]


def test_a_leaf_is_not_scanned_when_it_is_attached(connection: Connection) -> None:
    build(connection, JANUARY)
    with notices(connection) as said:
        attach_both(connection, JANUARY)
    implied = [text for text in said if "implied by existing constraints" in text]
    assert len(implied) == len(LOADED)


ANY_TABLE = [
    *read_policies(),
    read_policies()[0].model_copy(update={"storage": {"fillfactor": 70}, "tablespace": "pg_default"}),
]


@pytest.mark.parametrize("policy", ANY_TABLE, ids=lambda policy: policy.table)
def test_a_leaf_of_any_table_is_attached_without_a_scan(
    database_url: str, connection: Connection, policy: Policy
) -> None:
    with connection.transaction():
        create_aside(connection, policy, JANUARY, "Africa/Nairobi")
        index_and_analyse(connection, policy, JANUARY)
    before = index_count(database_url, policy)
    with notices(connection) as said:
        attach(connection, [(policy, JANUARY)], "Africa/Nairobi")
    assert any("implied by existing constraints" in text for text in said)
    # All of the parent's indexes were there already: none was built at attach, under its lock.
    assert index_count(database_url, policy) == before > 0
    (leaf,) = read_catalog(connection, [policy], "Africa/Nairobi").tables[policy.name].leaves
    assert (leaf.qualified, leaf.span) == (f"dwh_parts.{policy.table}_2024_01", JANUARY)
    options = value_of(database_url, "SELECT reloptions FROM pg_class WHERE oid = %s::regclass", leaf.qualified)
    assert options == ([f"fillfactor={policy.storage['fillfactor']}"] if policy.storage else None)


def test_a_leaf_of_a_table_whose_key_may_be_null_is_not_scanned(connection: Connection) -> None:
    """The bound of a leaf says that the key is not null: a CHECK of the range alone would not imply it."""
    connection.execute("CREATE TABLE dwh.events (id bigint, date_key integer) PARTITION BY RANGE (date_key)")
    policy = Policy.model_validate({"schema": "dwh", "table": "events", "key": "date_key"})
    with notices(connection) as said:
        create_attached(connection, policy, JANUARY, "UTC")
    assert any("implied by existing constraints" in text for text in said)


def index_count(url: str, policy: Policy) -> int:
    return int(value_of(url, "SELECT count(*) FROM pg_index WHERE indrelid::regclass::text LIKE %s",
                        f"%.{policy.table}_2024_01"))  # fmt: skip


def test_a_leaf_inherits_comments_and_no_grants(database_url: str, connection: Connection) -> None:
    execute(database_url, "DO $$ BEGIN CREATE ROLE reader_of_tests; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    execute(database_url, "GRANT USAGE ON SCHEMA dwh TO reader_of_tests")
    execute(database_url, "GRANT SELECT ON dwh.fact_transactions TO reader_of_tests")
    build(connection, JANUARY)
    attach_both(connection, JANUARY)
    leaf = "dwh_parts.fact_transactions_2024_01"
    assert value_of(database_url, "SELECT relacl FROM pg_class WHERE oid = %s::regclass", leaf) is None
    assert value_of(database_url, "SELECT col_description(%s::regclass, 1)", leaf)
    with connect(database_url) as reader:
        reader.execute("SET ROLE reader_of_tests")
        assert reader.execute("SELECT count(*) FROM dwh.fact_transactions").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT * FROM dwh_parts.fact_transactions_2024_01")
    execute(database_url, "DROP OWNED BY reader_of_tests")
    execute(database_url, "DROP ROLE reader_of_tests")


def test_staged_leaves_can_be_dropped_twice(database_url: str, connection: Connection) -> None:
    build(connection, JANUARY)
    drop_both(connection, JANUARY)
    drop_both(connection, JANUARY)
    assert built_spans(connection) == set()


def test_readers_of_the_parent_do_not_hold_up_an_attach(database_url: str, connection: Connection) -> None:
    build(connection, JANUARY)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM dwh.fact_transactions").fetchone()
        began = time.monotonic()
        attach_both(connection, JANUARY)
        assert time.monotonic() - began < 2
        assert attached_spans(connection) == {JANUARY}


def test_an_attach_waits_in_short_turns(database_url: str, connection: Connection) -> None:
    """Between the turns others get the lock: no reader waits behind us for longer than one of them."""
    build(connection, JANUARY)
    waits: list[float] = []

    def hold() -> None:
        with psycopg.connect(database_url) as owner:
            owner.execute("LOCK TABLE dwh.fact_transactions IN SHARE UPDATE EXCLUSIVE MODE")
            held.set()
            for _ in range(8):
                began = time.monotonic()
                rows_of(database_url, "SELECT count(*) FROM dwh.fact_transactions")
                waits.append(time.monotonic() - began)
                time.sleep(0.1)

    held = threading.Event()
    owner = threading.Thread(target=hold)
    owner.start()
    held.wait()
    attach_both(connection, JANUARY)
    owner.join()
    assert attached_spans(connection) == {JANUARY}
    assert max(waits) < 5


def test_an_attach_gives_up_and_leaves_all_as_it_was(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.5)
    build(connection, JANUARY)
    with psycopg.connect(database_url) as owner:
        owner.execute("LOCK TABLE dwh.fact_daily_client_summary IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockBusyError, match="lock") as caught:
            attach_both(connection, JANUARY)
    assert caught.value.exit_code == 75
    assert (built_spans(connection), attached_spans(connection)) == ({JANUARY}, set())
    attach_both(connection, JANUARY)
    assert attached_spans(connection) == {JANUARY}


def test_rows_outside_of_the_month_are_refused(database_url: str, connection: Connection) -> None:
    leaf = create_aside(connection, LOADED[1], JANUARY, "UTC")
    columns = "0,0,0,0,20240201,1,1,1,1,1,1,1,1,1,1,1,1"
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(f"INSERT INTO {leaf.as_string()} VALUES ({columns})")


def test_a_leaf_with_rows_gives_way_to_no_other(loaded_url: str) -> None:
    with connect(loaded_url) as connection:
        build(connection, JANUARY)
        before = attached_spans(connection)
        with pytest.raises(TransientTargetError, match="has some now"):
            attach_both(connection, JANUARY)
        assert attached_spans(connection) == before
        assert built_spans(connection) == {JANUARY}
    assert value_of(loaded_url, "SELECT count(*) FROM dwh_parts.fact_transactions_2024_01") > 0


@pytest.fixture
def loaded_url(database_url: str, tmp_path: Any) -> str:
    """Three months with a few hundred rows each."""
    write_feed(tmp_path, "services", [SERVICE])
    rows = [
        transaction(n, transaction_ts=f"2024-0{n % 3 + 1}-{n % 28 + 1:02}T10:00:00Z", client_id=f"C{n % 50}")
        for n in range(900)
    ]
    write_feed(tmp_path, "transactions", rows)
    load(tmp_path, database_url)
    return database_url


@pytest.mark.parametrize(
    ("statement", "leaf_count"),
    [
        ("SELECT count(*) FROM dwh.fact_transactions WHERE date_key BETWEEN 20240201 AND 20240229", 1),
        ("SELECT count(*) FROM dwh.v_transactions WHERE date_key >= 20240201", 2),
        ("SELECT sum(transactions) FROM dwh.v_daily_client_summary WHERE date_key < 20240201", 1),
        ("SELECT count(*) FROM dwh.fact_transactions", 3),
    ],
)
def test_a_range_of_days_reads_its_leaves_only(loaded_url: str, statement: str, leaf_count: int) -> None:
    plan = "\n".join(line for (line,) in rows_of(loaded_url, f"EXPLAIN {statement}"))
    found = {name for name in leaf_names(loaded_url) if name.removeprefix("dwh_parts.") in plan}
    assert len(found) == leaf_count, plan


def test_one_client_and_day_uses_the_index(loaded_url: str) -> None:
    execute(loaded_url, "SET enable_seqscan = off")
    statement = "EXPLAIN SELECT * FROM dwh.fact_transactions WHERE date_key = 20240105 AND client_key = 7"
    with psycopg.connect(loaded_url) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(line for (line,) in connection.execute(statement).fetchall())
    assert "fact_transactions_2024_01_date_client" in plan


def test_a_leaf_is_frozen_when_it_arrives(loaded_url: str) -> None:
    """Otherwise the first reader would rewrite every page."""
    with psycopg.connect(loaded_url) as connection:
        unfrozen = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_inherits ON inhrelid = c.oid"
            " WHERE c.relkind = 'r' AND relallvisible < relpages"
        ).fetchall()
    assert unfrozen == []


def test_views_are_refreshed_while_they_are_read(loaded_url: str) -> None:
    with psycopg.connect(loaded_url) as reader, connect(loaded_url) as connection:
        reader.execute("SELECT * FROM dwh.mv_daily_kpi").fetchall()
        assert refresh_views(connection) == ["mv_daily_kpi"]
