"""Locks in short turns: who waits for whom, and for how long."""

import time

import psycopg
import pytest

from partitions.turns import in_turns
from warehouse.connection import Connection, connect, sql
from warehouse.errors import LockBusyError, TransientTargetError

FACTS = sql.Identifier("dwh", "fact_transactions")


def _lock_everyone_out(connection: Connection, patience: float) -> None:
    for turn in in_turns(connection, [FACTS], patience=patience, insist_after=5):
        with turn:
            connection.execute("LOCK TABLE dwh.fact_transactions IN ACCESS EXCLUSIVE MODE")


def test_a_long_transaction_that_outlives_patience_is_told_as_such(database_url: str) -> None:
    with psycopg.connect(database_url) as reader, connect(database_url) as connection:
        reader.execute("SELECT count(*) FROM dwh.fact_transactions")
        time.sleep(1.2)
        begun = time.monotonic()
        with pytest.raises(LockBusyError, match=r"1 long transaction\(s\) use"):
            _lock_everyone_out(connection, patience=0.3)
        assert time.monotonic() - begun >= 0.3
        reader.rollback()
        _lock_everyone_out(connection, patience=5)


def test_a_lock_that_others_hold_is_asked_for_again(database_url: str) -> None:
    asked = 0
    with psycopg.connect(database_url) as holder, connect(database_url) as connection:
        holder.execute("LOCK TABLE dwh.fact_transactions IN ACCESS SHARE MODE")
        for turn in in_turns(connection, patience=10):
            with turn:
                asked += 1
                if asked == 2:
                    holder.rollback()
                connection.execute("LOCK TABLE dwh.fact_transactions IN ACCESS EXCLUSIVE MODE")
    assert asked == 2


def test_a_server_that_is_gone_before_a_turn_is_told_as_such(database_url: str) -> None:
    with connect(database_url) as connection:
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(TransientTargetError), next(in_turns(connection)):
            raise AssertionError("there is no transaction")
