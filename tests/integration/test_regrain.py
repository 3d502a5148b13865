"""Change of grain: the same rows in other leaves, whatever is written meanwhile."""

import pkgutil
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from partitions import changes, copies, turns
from partitions import exchanges as exchanges_module
from partitions.columns import written_columns
from partitions.grain import Grain, Span
from partitions.leaves import attach, create_aside, index_and_analyse
from partitions.policy import Policy
from partitions.regrain import change_grain
from tests.loading import execute, rows_of, value_of
from tests.partitioned import (
    EVENTS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    days,
    leaves_of,
    left_behind,
    make_table,
    rows_in,
    spans_of,
)
from warehouse.connection import Connection, connect, sql
from warehouse.errors import ConfigurationError, LockBusyError, TargetError, TransientTargetError

WEEKS = [*Grain.WEEK.spans(date(2024, 1, 1), date(2024, 1, 29)), Span(date(2024, 1, 29), date(2024, 2, 1))]


@pytest.fixture(params=[PAYMENTS, EVENTS], ids=["unique", "no unique index"])
def policy(request: pytest.FixtureRequest, connection: Connection) -> Policy:
    """A table of three months."""
    made: Policy = request.param
    make_table(connection, made, (JANUARY, FEBRUARY, MARCH), rows_a_day=20)
    return made


def regrain(url: str, policy: Policy, spans: list[Span], *, of: tuple[Span, ...] = (JANUARY,)) -> Any:
    leaves = [leaf for leaf in leaves_of(url, policy) if leaf.span and any(span.covers(leaf.span) for span in of)]
    return change_grain(url, policy, leaves, spans, "UTC")


def during(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, before: str = "replace.until_short") -> None:
    """Call `act` once, after the copy was made and before it is caught up for the first time."""
    real = pkgutil.resolve_name(f"partitions.{before}")
    called: list[bool] = []

    def wrapped(*arguments: Any) -> Any:
        if not called:
            called.append(True)
            act()
        return real(*arguments)

    monkeypatch.setattr(f"partitions.{before}", wrapped)


@pytest.mark.parametrize(
    "spans",
    [
        days(JANUARY),
        WEEKS,
        [Span(date(2024, 1, 1), date(2024, 1, 17)), Span(date(2024, 1, 17), date(2024, 2, 1))],
    ],
    ids=["days", "weeks", "by hand"],
)
def test_a_month_becomes_smaller_leaves_and_again_a_month(database_url: str, policy: Policy, spans: list[Span]) -> None:
    before = rows_in(database_url, policy)
    (done,) = regrain(database_url, policy, spans)
    assert (done.rows, len(done.leaves_after)) == (20 * 31, len(spans))
    assert spans_of(database_url, policy) == [*spans, FEBRUARY, MARCH]
    assert rows_in(database_url, policy) == before
    assert left_behind(database_url) == []
    regrain(database_url, policy, [JANUARY])
    assert spans_of(database_url, policy) == [JANUARY, FEBRUARY, MARCH]
    assert rows_in(database_url, policy) == before
    assert left_behind(database_url) == []


def test_new_leaves_are_like_any_other(database_url: str, policy: Policy) -> None:
    regrain(database_url, policy, days(JANUARY))
    day, march = leaves_of(database_url, policy)[0], leaves_of(database_url, policy)[-1]
    assert [(index.columns, index.unique, index.valid) for index in day.indexes] == [
        (index.columns, index.unique, index.valid) for index in march.indexes
    ]
    assert (day.schema, day.name, day.analysed) == ("dwh_parts", f"{policy.table}_2024_01_01", True)
    assert day.all_frozen
    checks = rows_of(database_url, "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass",
                     day.qualified)  # fmt: skip
    assert checks == []


def test_the_ledger_has_the_totals(database_url: str, policy: Policy) -> None:
    amount = value_of(database_url, f"SELECT sum(amount_minor)::text FROM {policy.name} WHERE date_key < 20240201")
    regrain(database_url, policy, days(JANUARY))
    action, rows, totals = rows_of(database_url, "SELECT action, row_count, totals FROM ops.leaf_change")[0]
    assert (action, rows, totals["amount_minor"]) == ("regrain", 620, amount)


def test_quarters_and_groups_of_their_own(database_url: str, policy: Policy) -> None:
    before = rows_in(database_url, policy)
    both = (JANUARY, MARCH)
    done = regrain(database_url, policy, [*days(JANUARY), *days(MARCH)], of=both)
    assert [len(one.leaves_after) for one in done] == [31, 31]
    quarter = Grain.QUARTER.span_of(date(2024, 1, 1))
    regrain(database_url, policy, [quarter], of=(quarter,))
    assert spans_of(database_url, policy) == [quarter]
    assert rows_in(database_url, policy) == before


def test_many_leaves_in_two_steps(database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges_module, "MOST_LEAVES", 10)
    make_table(connection, EVENTS, (JANUARY,), rows_a_day=3)
    before = rows_in(database_url, EVENTS)
    done = regrain(database_url, EVENTS, days(JANUARY))
    assert max(len(one.leaves_after) for one in done) <= 10
    assert (spans_of(database_url, EVENTS), rows_in(database_url, EVENTS)) == (days(JANUARY), before)


def test_a_day_without_a_leaf_gets_one(database_url: str, policy: Policy) -> None:
    regrain(database_url, policy, days(JANUARY))
    execute(database_url, f"DROP TABLE dwh_parts.{policy.table}_2024_01_31")
    regrain(database_url, policy, [JANUARY])
    assert spans_of(database_url, policy) == [JANUARY, FEBRUARY, MARCH]


CHANGES = {
    "insert": "INSERT INTO {parent} SELECT 7000000 + n, 20240115, 1, 5, 'new' FROM generate_series(1, 50) n",
    "insert into the leaf": "INSERT INTO {leaf} VALUES (1, 20240103, 1, 5, 'x')",
    "update": "UPDATE {parent} SET amount_minor = amount_minor + 1 WHERE date_key = 20240110",
    "update many": "UPDATE {parent} SET note = 'seen' WHERE date_key < 20240201",
    "update twice": "UPDATE {parent} SET note = 'a' WHERE client_key = 3;"
    " UPDATE {parent} SET note = 'b' WHERE client_key = 3 AND note = 'a'",
    "delete": "DELETE FROM {parent} WHERE date_key BETWEEN 20240105 AND 20240107",
    "delete from the leaf": "DELETE FROM {leaf} WHERE client_key = 7",
    "move out": "UPDATE {parent} SET date_key = 20240205 WHERE date_key = 20240111",
    "move in": "UPDATE {parent} SET date_key = 20240111 WHERE date_key = 20240205",
    "move within": "UPDATE {parent} SET date_key = 20240112 WHERE date_key = 20240111",
    "come and go": "INSERT INTO {parent} VALUES (2, 20240103, 1, 5, 'x'); DELETE FROM {parent} WHERE payment_id = 2",
    "go and come": "DELETE FROM {parent} WHERE client_key = 1; INSERT INTO {parent}"
    " SELECT 9000000 + n, 20240103, 1, NULL, NULL FROM generate_series(1, 3) n",
    "rolled back": "BEGIN; DELETE FROM {parent}; ROLLBACK",
    "swap ids": "UPDATE {parent} SET payment_id = payment_id + 500000000000000 WHERE date_key = 20240120",
    "merge": "MERGE INTO {parent} t USING (SELECT 20240101000001 AS id) s"
    " ON t.payment_id = s.id AND t.date_key = 20240101 WHEN MATCHED THEN UPDATE SET note = 'merged'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_is_written_meanwhile_is_in_the_new_leaves(
    database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """With a unique index in a round, without one as late as in the swap."""
    expected: list[Any] = []
    statement = change.format(parent=policy.name, leaf=f"dwh_parts.{policy.table}_2024_01")

    def act() -> None:
        with psycopg.connect(database_url, autocommit=True) as writer:
            for part in statement.split(";"):
                writer.execute(part)
        expected.extend(rows_in(database_url, policy))

    during(monkeypatch, act, before="replace.until_short" if policy.unique else "swap._exchange")
    regrain(database_url, policy, WEEKS)
    assert rows_in(database_url, policy) == expected
    assert spans_of(database_url, policy) == [*WEEKS, FEBRUARY, MARCH]


def test_rows_that_equal_each_other(database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    make_table(connection, EVENTS, (JANUARY,))
    rows = "INSERT INTO dwh.events SELECT 1, 20240105, NULL, 1, NULL FROM generate_series(1, %s)"
    execute(database_url, rows, 5)

    def act() -> None:
        execute(database_url, "DELETE FROM dwh.events WHERE ctid IN (SELECT ctid FROM dwh.events LIMIT 3)")
        execute(database_url, rows, 1)
        execute(database_url, "UPDATE dwh.events SET note = 'x' WHERE ctid IN (SELECT ctid FROM dwh.events LIMIT 1)")

    during(monkeypatch, act)
    regrain(database_url, EVENTS, WEEKS)
    assert sorted(rows_in(database_url, EVENTS)) == [
        ("(1,20240105,,1,)",),
        ("(1,20240105,,1,)",),
        ("(1,20240105,,1,x)",),
    ]


def test_rows_by_copy(database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        for target in (policy.name, f"dwh_parts.{policy.table}_2024_01"):
            with psycopg.connect(database_url) as writer, writer.cursor().copy(f"COPY {target} FROM STDIN") as copy:
                copy.write_row((len(target), 20240107, 1, 1, "by copy"))

    during(monkeypatch, act)
    regrain(database_url, policy, WEEKS)
    assert value_of(database_url, f"SELECT count(*) FROM {policy.name} WHERE note = 'by copy'") == 2


def test_a_writer_without_rights_in_staging(database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("CREATE ROLE writer_of_tests")
            owner.execute("GRANT USAGE ON SCHEMA dwh TO writer_of_tests")
            owner.execute(f"GRANT INSERT ON {policy.name} TO writer_of_tests")
            owner.execute("SET ROLE writer_of_tests")
            owner.execute(f"INSERT INTO {policy.name} VALUES (5, 20240108, 1, 1, 'by a role')")

    during(monkeypatch, act)
    try:
        regrain(database_url, policy, WEEKS)
        assert value_of(database_url, f"SELECT count(*) FROM {policy.name} WHERE note = 'by a role'") == 1
    finally:
        execute(database_url, "DROP OWNED BY writer_of_tests")
        execute(database_url, "DROP ROLE writer_of_tests")


def test_an_emptied_leaf_begins_again(database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, lambda: execute(database_url, f"TRUNCATE {policy.name}"))
    with pytest.raises(TransientTargetError, match="emptied"):
        regrain(database_url, policy, WEEKS)
    assert left_behind(database_url) == []
    regrain(database_url, policy, WEEKS)
    assert rows_in(database_url, policy) == []


def test_a_change_that_no_trigger_saw_is_noticed(
    database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = f"dwh_parts.{policy.table}_2024_01"

    def act() -> None:
        execute(database_url, f"ALTER TABLE {leaf} DISABLE TRIGGER cauri_capture")
        execute(database_url, f"UPDATE {leaf} SET amount_minor = 0 WHERE client_key = 9")

    during(monkeypatch, act)
    before = len(rows_in(database_url, policy))
    with pytest.raises(TargetError, match="sums differ in amount_minor"):
        regrain(database_url, policy, WEEKS)
    assert (len(rows_in(database_url, policy)), left_behind(database_url)) == (before, [])
    assert spans_of(database_url, policy) == [JANUARY, FEBRUARY, MARCH]


def test_a_prepared_statement_outlives_the_swap(database_url: str, policy: Policy) -> None:
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute("SET plan_cache_mode = force_generic_plan")
        session.execute(
            f"PREPARE put (bigint) AS INSERT INTO {policy.name} VALUES ($1, 20240109, 1, 1, 'prepared');"
            f" PREPARE number AS SELECT count(*) FROM {policy.name} WHERE note = 'prepared'"
        )
        for number in range(7):
            session.execute(f"EXECUTE put ({number})")
        session.execute("EXECUTE number")
        regrain(database_url, policy, WEEKS)
        session.execute("EXECUTE put (8)")
        assert session.execute("EXECUTE number").fetchone() == (8,)


def test_a_snapshot_older_than_the_new_leaves_is_waited_for(
    database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not touched the table yet, and would find new leaves whose rows it cannot see."""
    monkeypatch.setattr(turns, "LOOKING_PATIENCE_SECONDS", 1.0)
    with psycopg.connect(database_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM ops.run").fetchone()
        with pytest.raises(LockBusyError, match="snapshot"):
            regrain(database_url, policy, WEEKS)
        assert reader.execute(f"SELECT count(*) FROM {policy.name}").fetchone() == (91 * 20,)
    assert left_behind(database_url) == []
    regrain(database_url, policy, WEEKS)


def test_a_snapshot_that_knows_the_last_changes_is_waited_for(
    database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row came and was seen just before the swap, which writes it into the new leaf: after that snapshot."""
    monkeypatch.setattr(turns, "LOOKING_PATIENCE_SECONDS", 1.0)
    with psycopg.connect(database_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def act() -> None:
            execute(database_url, f"INSERT INTO {policy.name} VALUES (1, 20240105, 1, 1, 'x')")
            reader.execute("SELECT count(*) FROM ops.run").fetchone()

        during(monkeypatch, act, before="swap._exchange")
        with pytest.raises(LockBusyError, match="snapshot"):
            regrain(database_url, policy, WEEKS)
        assert reader.execute(f"SELECT count(*) FROM {policy.name}").fetchone() == (91 * 20 + 1,)
    assert left_behind(database_url) == []


def test_a_long_reader_is_not_queued_behind(database_url: str, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LOOKING_PATIENCE_SECONDS", 1.5)
    monkeypatch.setattr(changes, "CLEARING_PATIENCE_SECONDS", 0.2)
    with psycopg.connect(database_url) as reader:
        reader.execute(f"SELECT count(*) FROM {policy.name}").fetchone()
        with pytest.raises(LockBusyError):
            regrain(database_url, policy, WEEKS)
        assert spans_of(database_url, policy) == [JANUARY, FEBRUARY, MARCH]
    with connect(database_url) as connection:
        changes.clear_leftovers(connection, policy)
    assert left_behind(database_url) == []


def test_leftovers_of_a_killed_run_are_cleared_by_the_next(database_url: str, policy: Policy) -> None:
    leaf = leaves_of(database_url, policy)[0]
    with connect(database_url) as connection:
        old = sql.Identifier(leaf.schema, leaf.name)
        columns = written_columns(connection, old)
        changes.capture(connection, policy, [old], columns)
        copies.build(connection, copies.Copy(policy, "UTC", (old,), tuple(days(JANUARY)), columns))
    execute(database_url, f"UPDATE {policy.name} SET note = 'after the kill'")
    assert len(left_behind(database_url)) > 30
    before = rows_in(database_url, policy)
    regrain(database_url, policy, WEEKS)
    assert (rows_in(database_url, policy), left_behind(database_url)) == (before, [])


def test_rows_that_break_a_unique_index(database_url: str, connection: Connection) -> None:
    make_table(connection, EVENTS, (JANUARY,), rows_a_day=1)
    execute(database_url, "INSERT INTO dwh.events SELECT * FROM dwh.events WHERE date_key = 20240105")
    strict = EVENTS.model_copy(update={"unique": (("payment_id",),)})
    with pytest.raises(TargetError, match="unique index"):
        regrain(database_url, strict, WEEKS)
    assert (left_behind(database_url), spans_of(database_url, EVENTS)) == ([], [JANUARY])


def test_a_leaf_with_a_view_is_refused(database_url: str, policy: Policy) -> None:
    execute(database_url, f"CREATE VIEW dwh.of_leaf AS SELECT * FROM dwh_parts.{policy.table}_2024_01")
    with pytest.raises(TargetError, match=r"view dwh\.of_leaf"):
        regrain(database_url, policy, WEEKS)
    assert left_behind(database_url) == []


def test_a_default_partition_has_to_go_first(database_url: str, policy: Policy) -> None:
    execute(database_url, f"CREATE TABLE dwh_parts.rest PARTITION OF {policy.name} DEFAULT")
    with pytest.raises(TargetError, match="DEFAULT"):
        regrain(database_url, policy, WEEKS)


def test_a_leaf_that_a_load_has_built_is_in_the_way(database_url: str, policy: Policy) -> None:
    execute(database_url, f"CREATE TABLE staging.{policy.table}_2024_w01 (n int)")
    with pytest.raises(TargetError, match="interrupted"):
        regrain(database_url, policy, WEEKS)
    assert left_behind(database_url) == [f"staging.{policy.table}_2024_w01"]


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        (days(JANUARY)[:-1], "no span holds the day 2024-01-31"),
        ([*days(JANUARY), WEEKS[0]], "overlap"),
        ([*days(JANUARY), Span(date(2024, 2, 1), date(2024, 2, 2))], "not to be replaced"),
        ([Span(date(2024, 1, 1), date(2024, 2, 2))], "not to be replaced"),
    ],
)
def test_spans_that_do_not_fit(database_url: str, policy: Policy, spans: list[Span], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        regrain(database_url, policy, spans)


def test_what_is_there_already_is_nothing_to_do(database_url: str, policy: Policy) -> None:
    assert regrain(database_url, policy, [JANUARY]) == []


def test_moments_as_keys(database_url: str, connection: Connection) -> None:
    """A leaf of the access log, whose day begins in its business time zone; its primary key is the parent's."""
    log = Policy.model_validate(
        {"schema": "audit", "table": "access_log", "key": "accessed_at", "key_kind": "timestamptz",
         "timezone": "Africa/Nairobi"}
    )  # fmt: skip
    with connection.transaction():
        create_aside(connection, log, JANUARY, "UTC")
        index_and_analyse(connection, log, JANUARY)
    attach(connection, [(log, JANUARY)], "UTC")
    execute(
        database_url,
        "INSERT INTO audit.access_log (accessed_at, object, purpose)"
        " SELECT '2023-12-31 21:00+00'::timestamptz + n * interval '1 hour', 'x', 'y' FROM generate_series(0, 743) n",
    )
    before = rows_in(database_url, log)
    regrain(database_url, log, days(JANUARY))
    assert rows_in(database_url, log) == before
    assert value_of(database_url, "SELECT count(*) FROM dwh_parts.access_log_2024_01_01") == 24
    execute(database_url, "INSERT INTO audit.access_log (accessed_at, object, purpose) VALUES ('2024-01-05', 'x', 'y')")
