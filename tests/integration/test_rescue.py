"""Rows in a DEFAULT partition get leaves, and it goes."""

import pkgutil
from datetime import date
from typing import Any

import psycopg
import pytest

from partitions import rescue, swap
from partitions.grain import Grain, Span
from partitions.policy import Policy
from partitions.rescue import rescue_default
from tests.loading import execute, rows_of, value_of
from tests.partitioned import (
    EVENTS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    fill,
    left_behind,
    make_table,
    rows_in,
    spans_of,
    table_of,
)
from warehouse.connection import Connection
from warehouse.errors import DataRefusedError, NothingToDoError, TargetError

APRIL = Grain.MONTH.span_of(date(2024, 4, 1))


@pytest.fixture
def payments(connection: Connection) -> Connection:
    """February is a leaf; January, March and April lie in the DEFAULT partition."""
    make_table(connection, PAYMENTS, (FEBRUARY,), rows_a_day=10)
    connection.execute("CREATE TABLE dwh_parts.payments_rest PARTITION OF dwh.payments DEFAULT")
    for span in (JANUARY, MARCH, APRIL):
        fill(connection, "dwh.payments", span, 10)
    return connection


def test_every_row_gets_a_leaf_and_the_default_goes(database_url: str, payments: Connection) -> None:
    before = rows_in(database_url, PAYMENTS)
    done = rescue_default(database_url, PAYMENTS, "UTC")
    assert (done.homeless, [swap.rows for swap in done.swaps]) == ({}, [(31 + 31 + 30) * 10])
    table = table_of(database_url, PAYMENTS)
    assert ([leaf.span for leaf in table.leaves], table.default) == ([JANUARY, FEBRUARY, MARCH, APRIL], None)
    assert (rows_in(database_url, PAYMENTS), left_behind(database_url)) == (before, [])
    with pytest.raises(NothingToDoError):
        rescue_default(database_url, PAYMENTS, "UTC")


def test_no_leaf_and_no_default_is_scanned(
    database_url: str, payments: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real = swap._exchange

    def listening(connection: Connection, *arguments: Any) -> Any:
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        connection.execute("SET LOCAL client_min_messages = debug1")
        return real(connection, *arguments)

    monkeypatch.setattr(swap, "_exchange", listening)
    rescue_default(database_url, PAYMENTS, "UTC")
    implied = {text for text in said if "is implied by existing constraints" in text}
    assert len([text for text in implied if text.startswith("partition constraint for table")]) == 3, said
    assert not any("default partition" in text for text in said)


def test_leaves_fit_between_those_that_are_there(database_url: str, connection: Connection) -> None:
    week = Grain.WEEK.span_of(date(2024, 1, 10))
    make_table(connection, PAYMENTS, (week,))
    execute(database_url, "CREATE TABLE dwh_parts.payments_default PARTITION OF dwh.payments DEFAULT")
    fill(connection, "dwh.payments", JANUARY, 3)
    rescue_default(database_url, PAYMENTS, "UTC")
    assert spans_of(database_url, PAYMENTS) == [Span(JANUARY.first, week.first), week, Span(week.end, JANUARY.end)]
    assert value_of(database_url, "SELECT count(*) FROM dwh.payments") == 93


def test_rows_without_a_day_stay_and_are_reported(database_url: str, connection: Connection) -> None:
    connection.execute("CREATE TABLE dwh.events (payment_id bigint, date_key integer, note text)"
                       " PARTITION BY RANGE (date_key)")  # fmt: skip
    connection.execute("CREATE INDEX ON dwh.events (date_key)")
    connection.execute("CREATE TABLE dwh_parts.events_default PARTITION OF dwh.events DEFAULT")
    connection.execute("INSERT INTO dwh.events VALUES (1, 20240105, 'x'), (2, NULL, 'x'), (3, NULL, 'x'),"
                       " (4, 20241399, 'x'), (5, 0, 'x'), (6, 99990101, 'x')")  # fmt: skip
    done = rescue_default(database_url, EVENTS, "UTC")
    assert done.homeless == {
        "without a key": 2,
        "whose key is no day": 2,
        "whose day is not between 1970-01-01 and 2199-12-31": 1,
    }
    assert rows_of(database_url, "SELECT payment_id FROM dwh_parts.events_default ORDER BY 1") == [
        (2,), (3,), (4,), (5,), (6,)]  # fmt: skip
    assert (spans_of(database_url, EVENTS), left_behind(database_url)) == ([JANUARY], [])
    with pytest.raises(DataRefusedError, match=r"2 row\(s\) without a key"):
        rescue_default(database_url, EVENTS, "UTC")


@pytest.mark.parametrize("moment", ["replace.until_short", "swap._exchange"])
def test_what_is_written_meanwhile_is_kept(
    database_url: str, payments: Connection, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Also a row of a month that had none when the rescue began: it waits in a DEFAULT partition for a second turn."""
    real = pkgutil.resolve_name(f"partitions.{moment}")
    expected: list[Any] = []

    def wrapped(*arguments: Any) -> Any:
        if not expected:
            with psycopg.connect(database_url, autocommit=True) as writer:
                writer.execute("INSERT INTO dwh.payments VALUES (1, 20240105, 1, 1, 'new'), (2, 20240505, 1, 1, 'new')")
                writer.execute("DELETE FROM dwh.payments WHERE date_key = 20240301")
                writer.execute("UPDATE dwh.payments SET date_key = 20240201 WHERE date_key = 20240102")
                writer.execute("UPDATE dwh.payments SET amount_minor = -1 WHERE client_key = 3")
            expected.extend(rows_in(database_url, PAYMENTS))
        return real(*arguments)

    monkeypatch.setattr(f"partitions.{moment}", wrapped)
    done = rescue_default(database_url, PAYMENTS, "UTC")
    assert len(done.swaps) == 2
    assert (rows_in(database_url, PAYMENTS), left_behind(database_url)) == (expected, [])
    assert spans_of(database_url, PAYMENTS)[-1] == Grain.MONTH.span_of(date(2024, 5, 1))


def test_many_leaves_in_portions(database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "MOST_LEAVES", 20)
    daily = EVENTS.model_copy(update={"grain": Grain.DAY})
    make_table(connection, daily)
    connection.execute("CREATE TABLE dwh_parts.events_default PARTITION OF dwh.events DEFAULT")
    fill(connection, "dwh.events", JANUARY, 5)
    assert [swap.rest_rows for swap in rescue_default(database_url, daily, "UTC").swaps] == [11 * 5, 0]
    assert len(spans_of(database_url, daily)) == 31
    assert value_of(database_url, "SELECT count(*) FROM dwh.events") == 31 * 5


def test_an_empty_default_goes(database_url: str, connection: Connection) -> None:
    make_table(connection, EVENTS)
    connection.execute("CREATE TABLE dwh_parts.events_default PARTITION OF dwh.events DEFAULT")
    rescue_default(database_url, EVENTS, "UTC")
    assert table_of(database_url, EVENTS).default is None


def test_moments_with_infinity(database_url: str, connection: Connection) -> None:
    log = Policy.model_validate(
        {"schema": "audit", "table": "access_log", "key": "accessed_at", "key_kind": "timestamptz"}
    )
    connection.execute("CREATE TABLE dwh_parts.access_log_default PARTITION OF audit.access_log DEFAULT")
    connection.execute(
        "INSERT INTO audit.access_log (accessed_at, object, purpose) SELECT t::timestamptz, 'x', 'y'"
        " FROM unnest(ARRAY['2024-01-31 23:30+00', 'infinity', '-infinity', '20000-01-01', '2024-01-01']) t"
    )
    done = rescue_default(database_url, log, "Africa/Nairobi")
    assert done.homeless == {"whose key is no day": 3}
    leaves = rows_of(database_url, "SELECT tableoid::regclass::text FROM audit.access_log ORDER BY 1")
    default = [("dwh_parts.access_log_default",)] * 3
    assert leaves == [("dwh_parts.access_log_2024_01",), ("dwh_parts.access_log_2024_02",), *default]


def test_odd_leaves_beside_it_are_refused(database_url: str, payments: Connection) -> None:
    payments.execute("CREATE TABLE dwh_parts.old PARTITION OF dwh.payments FOR VALUES FROM (MINVALUE) TO (10)")
    with pytest.raises(TargetError, match=r"dwh_parts\.old"):
        rescue_default(database_url, PAYMENTS, "UTC")
