"""The catalog: what PostgreSQL knows of parents, leaves, and of tables that hang on no parent."""

import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import LiteralString

import polars as pl
import psycopg
import pytest

from partitions.bounds import check_clause, check_name, partition_clause
from partitions.catalog import Catalog, Index, Table, read_catalog
from partitions.grain import Grain, Span
from partitions.policy import Policy, read_policies
from tests.loading import SERVICE, load, transaction, write_feed
from warehouse.connection import Connection, connect, sql
from warehouse.copy import copy_frame
from warehouse.errors import TargetError

JANUARY = Grain.MONTH.span_of(date(2024, 1, 1))
EVENTS = Policy.model_validate({"schema": "dwh", "table": "events", "key": "moment", "key_kind": "timestamptz"})


@pytest.fixture
def events(connection: Connection) -> Connection:
    """An empty partitioned table `dwh.events`."""
    connection.execute("CREATE TABLE dwh.events (id bigint, moment timestamptz NOT NULL, note text)"
                       " PARTITION BY RANGE (moment)")  # fmt: skip
    connection.execute("CREATE INDEX events_note ON dwh.events (note, moment)")
    return connection


def create(connection: Connection, span: Span, schema: str = "dwh_parts", name: str = "") -> str:
    """A table with a CHECK for these days, not attached; return its name."""
    leaf = name or span.leaf_of("events")
    connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE dwh.events INCLUDING INDEXES, CONSTRAINT {} {})").format(
            sql.Identifier(schema, leaf), sql.Identifier(check_name(leaf)), check_clause(EVENTS, span, "UTC")
        )
    )
    return leaf


def attach(connection: Connection, span: Span, name: str = "") -> None:
    leaf = sql.Identifier("dwh_parts", name or span.leaf_of("events"))
    connection.execute(
        sql.SQL("ALTER TABLE dwh.events ATTACH PARTITION {} {}").format(leaf, partition_clause(EVENTS, span, "UTC"))
    )


def read(connection: Connection, *policies: Policy) -> Catalog:
    return read_catalog(connection, policies or (EVENTS,), "UTC")


def read_events(connection: Connection) -> Table:
    return read(connection).tables["dwh.events"]


def test_a_new_warehouse_has_the_tables_of_the_policies(connection: Connection) -> None:
    catalog = read(connection, *read_policies())
    assert [(table.exists, table.leaves, table.orphans) for table in catalog.tables.values()] == [(True, (), ())] * 4
    assert catalog.server_version // 10_000 in range(15, 19)
    parent = catalog.tables["audit.access_log"]
    assert parent.indexes == (Index("access_log_pkey", ("access_id", "accessed_at"), unique=True),)


def test_a_leaf_as_it_is(events: Connection) -> None:
    attach_new(events, JANUARY)
    (leaf,) = read_events(events).leaves
    assert (leaf.table, leaf.qualified, leaf.span) == ("dwh.events", "dwh_parts.events_2024_01", JANUARY)
    assert leaf.bounds == "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00')"
    assert (leaf.rows, leaf.detaching, leaf.grants, leaf.held_until, leaf.ordinary) == (0, False, (), None, True)
    assert [(index.columns, index.unique, index.valid) for index in leaf.indexes] == [(("note", "moment"), False, True)]


def test_statistics_of_a_leaf(events: Connection) -> None:
    attach_new(events, JANUARY)
    assert not read_events(events).leaves[0].analysed
    events.execute("INSERT INTO dwh.events SELECT n, '2024-01-05', 'x' FROM generate_series(1, 5000) n")
    settle(events)
    leaf = read_events(events).leaves[0]
    assert (leaf.rows, leaf.changed_rows, leaf.analysed, leaf.all_frozen) == (-1, 5000, False, False)
    assert leaf.bytes > 5000 * 30
    events.execute("VACUUM (FREEZE, ANALYZE) dwh_parts.events_2024_01")
    settle(events)
    leaf = read_events(events).leaves[0]
    assert (leaf.rows, leaf.changed_rows, leaf.analysed, leaf.all_frozen) == (5000, 0, True, True)
    events.execute("INSERT INTO dwh.events SELECT n, '2024-01-05', 'x' FROM generate_series(1, 5000) n")
    settle(events)
    leaf = read_events(events).leaves[0]
    assert (leaf.changed_rows, leaf.analysed, leaf.all_frozen) == (5000, True, False)
    assert leaf.rows == pytest.approx(10_000, rel=0.1)


def test_a_leaf_that_was_filled_and_analysed_in_one_transaction_is_not_stale(events: Connection) -> None:
    with events.transaction():
        attach_new(events, JANUARY)
        events.execute(
            "INSERT INTO dwh_parts.events_2024_01 SELECT n, '2024-01-05', 'x' FROM generate_series(1, 999) n"
        )
        events.execute("ANALYZE dwh_parts.events_2024_01")
    settle(events)
    assert read_events(events).leaves[0].changed_rows == 0
    events.execute("UPDATE dwh.events SET note = 'y' WHERE id <= 100")
    settle(events)
    assert read_events(events).leaves[0].changed_rows >= 100


def test_statistics_of_the_table_as_a_whole(events: Connection) -> None:
    attach_new(events, JANUARY)
    assert (read_events(events).analysed, read_events(events).rows) == (False, -1)
    events.execute("INSERT INTO dwh.events SELECT n, '2024-01-05', 'x' FROM generate_series(1, 100) n")
    events.execute("ANALYZE dwh.events")
    assert (read_events(events).analysed, read_events(events).rows) == (True, 100)


def test_indexes_of_every_sort(events: Connection) -> None:
    attach_new(events, JANUARY)
    leaf = "dwh_parts.events_2024_01"
    events.execute(f"CREATE UNIQUE INDEX a ON {leaf} (id) INCLUDE (note)")
    events.execute(f"CREATE INDEX b ON {leaf} (lower(note), id) WHERE id > 5")
    events.execute(f"INSERT INTO {leaf} VALUES (1, '2024-01-05', 'x'), (2, '2024-01-05', 'x')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        events.execute(f"CREATE UNIQUE INDEX CONCURRENTLY c ON {leaf} (note)")
    found = {index.name: index for index in read_events(events).leaves[0].indexes}
    assert found["a"] == Index("a", ("id",), unique=True)
    assert found["b"] == Index("b", ("lower(note)", "id"), partial=True)
    assert found["c"] == Index("c", ("note",), unique=True, valid=False)


def test_an_index_of_the_parent_that_leaves_lack_is_not_valid(events: Connection) -> None:
    attach_new(events, JANUARY)
    events.execute("CREATE INDEX of_parent ON ONLY dwh.events (id)")
    found = {index.name: index.valid for index in read_events(events).indexes}
    assert found == {"events_note": True, "of_parent": False}


def test_rights_on_a_leaf(events: Connection) -> None:
    role = f"reader_{secrets.token_hex(4)}"
    attach_new(events, JANUARY)
    events.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    try:
        events.execute(sql.SQL("GRANT SELECT ON dwh.events TO {}").format(sql.Identifier(role)))
        assert read_events(events).leaves[0].grants == ()
        events.execute("GRANT SELECT, INSERT ON dwh_parts.events_2024_01 TO PUBLIC")
        events.execute(sql.SQL("GRANT SELECT (note) ON dwh_parts.events_2024_01 TO {}").format(sql.Identifier(role)))
        assert read_events(events).leaves[0].grants == ("public", role)
        for grantee in read_events(events).leaves[0].grants:
            events.execute(sql.SQL("REVOKE ALL ON dwh_parts.events_2024_01 FROM {}").format(sql.Identifier(grantee)))
        assert read_events(events).leaves[0].grants == ()
    finally:
        events.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        events.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_default_partition_stands_apart(events: Connection) -> None:
    events.execute("CREATE TABLE dwh_parts.elsewhere PARTITION OF dwh.events DEFAULT")
    table = read_events(events)
    assert table.leaves == ()
    assert table.default
    assert (table.default.rows, table.default.span) == (0, None)
    events.execute("INSERT INTO dwh.events VALUES (1, '1999-01-01', 'x')")
    default = read_events(events).default
    assert default
    assert (default.rows, default.bytes > 0) == (-1, True)


def test_leaves_made_by_hand(events: Connection) -> None:
    events.execute("CREATE TABLE dwh_parts.ancient PARTITION OF dwh.events"
                   " FOR VALUES FROM (MINVALUE) TO ('2000-01-01 03:00+00')")  # fmt: skip
    events.execute("CREATE TABLE dwh.events_second_week PARTITION OF dwh.events"
                   " FOR VALUES FROM ('2024-01-08') TO ('2024-01-15')")  # fmt: skip
    events.execute("CREATE TABLE dwh_parts.divided PARTITION OF dwh.events"
                   " FOR VALUES FROM ('2025-01-01') TO ('2025-02-01') PARTITION BY HASH (id)")  # fmt: skip
    found = [(leaf.qualified, str(leaf.span), leaf.ordinary) for leaf in read_events(events).leaves]
    assert found == [
        ("dwh.events_second_week", "2024-w02", True),
        ("dwh_parts.divided", "2025-01", False),
        ("dwh_parts.ancient", "None", True),
    ]


def test_a_pending_detach(events: Connection, database_url: str) -> None:
    attach_new(events, JANUARY)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM dwh.events").fetchone()
        events.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            events.execute("ALTER TABLE dwh.events DETACH PARTITION dwh_parts.events_2024_01 CONCURRENTLY")
    (leaf,) = read_events(events).leaves
    assert (leaf.detaching, leaf.span) == (True, JANUARY)
    events.execute("ALTER TABLE dwh.events DETACH PARTITION dwh_parts.events_2024_01 FINALIZE")
    (orphan,) = read_events(events).orphans
    assert (orphan.detaching, orphan.span) == (False, JANUARY)


def test_tables_that_hang_on_no_parent(events: Connection) -> None:
    weeks = list(Grain.WEEK.spans(date(2024, 3, 4), date(2024, 3, 25)))
    create(events, weeks[0])
    create(events, weeks[1], name="renamed_by_hand")
    create(events, weeks[2], schema="staging")
    create(events, JANUARY, name="events_2023_12")
    events.execute("CREATE TABLE dwh_parts.events_2022 (anything text)")
    events.execute("CREATE TABLE dwh_parts.events_of_others (LIKE dwh.events)")
    events.execute("CREATE TABLE staging.transactions (id bigint)")
    table = read_events(events)
    assert [(leaf.name, str(leaf.span)) for leaf in table.orphans] == [
        ("events_2022", "2022"),
        ("events_2023_12", "2024-01"),  # its rows may be of January: the CHECK says so
        ("events_2024_w10", "2024-w10"),
        ("renamed_by_hand", "2024-w11"),
    ]
    assert [(leaf.qualified, str(leaf.span)) for leaf in table.staged] == [("staging.events_2024_w12", "2024-w12")]


def test_an_orphan_belongs_to_one_table(connection: Connection) -> None:
    for name in ("events", "events_copy"):
        connection.execute(f"CREATE TABLE dwh.{name} (id bigint, moment timestamptz NOT NULL)"
                           " PARTITION BY RANGE (moment)")  # fmt: skip
    create(connection, JANUARY)
    create(connection, Grain.MONTH.span_of(date(2024, 2, 1)), name="events_copy_2024_02")
    copy = EVENTS.model_copy(update={"table": "events_copy"})
    tables = read(connection, EVENTS, copy).tables
    assert [leaf.name for leaf in tables["dwh.events"].orphans] == ["events_2024_01"]
    assert [leaf.name for leaf in tables["dwh.events_copy"].orphans] == ["events_copy_2024_02"]


def test_a_leaf_is_held(events: Connection) -> None:
    attach_new(events, JANUARY)
    create(events, Grain.YEAR.span_of(date(2020, 1, 1)))
    for parent, leaf, until in [
        ("dwh.events", "events_2024_01", "2030-05-01"),
        ("dwh.events", "events_2020", "2031-05-01"),
        ("dwh.others", "events_2024_01", "2099-01-01"),
    ]:
        events.execute("INSERT INTO ops.leaf_hold (table_name, leaf, until, reason) VALUES (%s, %s, %s, 'restored')",
                       (parent, leaf, until))  # fmt: skip
    table = read_events(events)
    assert table.leaves[0].held_until == date(2030, 5, 1)
    assert table.orphans[0].held_until == date(2031, 5, 1)


@pytest.mark.parametrize(
    ("statement", "exists", "unpartitioned"),
    [("SELECT 1", False, False), ("CREATE TABLE dwh.events (moment timestamptz)", False, True)],
)
def test_a_table_that_is_not_there(
    connection: Connection, statement: LiteralString, exists: bool, unpartitioned: bool
) -> None:
    connection.execute(statement)
    table = read_events(connection)
    assert (table.exists, table.unpartitioned) == (exists, unpartitioned)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "CREATE TABLE dwh.events (moment date) PARTITION BY RANGE (moment)",
            r"RANGE \(moment\) date; its policy says RANGE \(moment\) timestamp with time zone",
        ),
        (
            "CREATE TABLE dwh.events (moment timestamptz) PARTITION BY LIST (moment)",
            r"by LIST \(moment\) timestamp with time zone; its policy says RANGE",
        ),
        (
            "CREATE TABLE dwh.events (moment timestamptz, id int) PARTITION BY RANGE (moment, id)",
            r"by RANGE \(moment, id\) timestamp with time zone; its policy",
        ),
        (
            "CREATE TABLE dwh.events (other timestamptz) PARTITION BY RANGE (other)",
            r"by RANGE \(other\); its policy says RANGE \(moment\)",
        ),
        ("CREATE VIEW dwh.events AS SELECT 1", r"dwh\.events is not a table"),
    ],
)
def test_a_table_by_another_key_is_refused(connection: Connection, statement: LiteralString, message: str) -> None:
    connection.execute(statement)
    with pytest.raises(TargetError, match=message):
        read_events(connection)


def test_a_key_whose_name_is_quoted(connection: Connection) -> None:
    policy = EVENTS.model_copy(update={"key": "timestamp"})
    connection.execute('CREATE TABLE dwh.events ("timestamp" timestamptz NOT NULL) PARTITION BY RANGE ("timestamp")')
    connection.execute(
        sql.SQL("CREATE TABLE dwh_parts.of_january (LIKE dwh.events, {})").format(check_clause(policy, JANUARY, "UTC"))
    )
    assert [leaf.span for leaf in read(connection, policy).tables["dwh.events"].orphans] == [JANUARY]


def test_the_session_is_left_as_it_was(events: Connection) -> None:
    events.execute("SET datestyle = German; SET timezone = 'Pacific/Apia'")
    attach_new(events, JANUARY)
    assert [leaf.span for leaf in read_events(events).leaves] == [JANUARY]
    assert events.execute("SELECT current_setting('datestyle'), current_setting('timezone')").fetchone() == (
        "German, DMY",
        "Pacific/Apia",
    )


def test_a_loaded_warehouse_is_frozen_analysed_and_indexed(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    rows = [transaction(n, transaction_ts=f"2024-0{n % 3 + 1}-{n % 28 + 1:02}T10:00:00Z") for n in range(900)]
    write_feed(tmp_path, "transactions", rows)
    load(tmp_path, database_url)
    with connect(database_url) as connection:
        settle(connection)
        table = read(connection, *read_policies()).tables["dwh.fact_transactions"]
    assert [str(leaf.span) for leaf in table.leaves] == ["2024-01", "2024-02", "2024-03"]
    for leaf in table.leaves:
        assert (leaf.rows, leaf.changed_rows, leaf.analysed, leaf.all_frozen) == (300, 0, True, True)
        assert {(index.columns, index.unique) for index in leaf.indexes} == {
            (("transaction_id",), True),
            (("date_key", "client_key"), False),
            (("service_key",), False),
        }


@pytest.mark.parametrize("pieces", [1, 4])
def test_pages_that_copy_left_empty_need_no_freezing(events: Connection, pieces: int) -> None:
    """Regression: apply froze the leaves of a load again and again, because its last pages stayed without rows."""
    rows = pl.DataFrame({"id": range(10_000)}).with_columns(
        moment=pl.lit(datetime(2024, 1, 5, tzinfo=UTC)), note=pl.lit("x" * 40)
    )
    with events.transaction():
        create(events, JANUARY)
        for _ in range(pieces):
            copy_frame(events, sql.Identifier("dwh_parts", "events_2024_01"), rows, freeze=True)
        events.execute("ANALYZE dwh_parts.events_2024_01")
    attach(events, JANUARY)
    settle(events)
    # Each COPY leaves such pages; of a leaf so small they come to more than is taken for granted without a vacuum.
    assert read_events(events).leaves[0].all_frozen or pieces > 1
    events.execute("VACUUM (FREEZE, ANALYZE, TRUNCATE false) dwh_parts.events_2024_01")
    settle(events)
    assert read_events(events).leaves[0].all_frozen
    events.execute("UPDATE dwh.events SET note = 'late' WHERE id < 900")
    settle(events)
    assert read_events(events).leaves[0].all_frozen
    events.execute("UPDATE dwh.events SET note = 'changed' WHERE id < 9000")
    settle(events)
    assert not read_events(events).leaves[0].all_frozen


def attach_new(connection: Connection, span: Span) -> None:
    create(connection, span)
    attach(connection, span)


def settle(connection: Connection) -> None:
    """What this session counted is with the server, and what the session knew of it is forgotten."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")
