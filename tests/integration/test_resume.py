from unittest import mock

import pytest

from engine import publish as P
from tests.loading import SERVICE, load, rows_of, transaction, value_of, write_feed
from warehouse.errors import TransientTargetError


def test_moved_row_survives_a_kill_between_build_and_merge(database_url, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    write_feed(a, "services", [SERVICE])
    write_feed(a, "transactions", [transaction(1), transaction(2)])
    load(a, database_url)
    write_feed(
        b,
        "transactions",
        [
            transaction(2, transaction_ts="2024-02-03T10:00:00Z", updated_at="2024-02-04T10:00:00Z"),
            transaction(3, transaction_ts="2024-02-05T10:00:00Z", updated_at="2024-02-05T10:00:00Z"),
        ],
    )
    with mock.patch.object(P, "merge", side_effect=TransientTargetError("away")), pytest.raises(TransientTargetError):
        load(b, database_url)
    s = load(b, database_url)
    print(
        s.to_json()["rows"],
        rows_of(database_url, "SELECT transaction_id, date_key FROM dwh.fact_transactions ORDER BY 1"),
    )
    assert rows_of(database_url, "SELECT transaction_id, date_key FROM dwh.fact_transactions ORDER BY 1") == [
        ("T1", 20240115),
        ("T2", 20240203),
        ("T3", 20240205),
    ]


def test_two_loads_of_one_home_in_one_process(database_url, tmp_path):
    from tests.loading import settings_for

    home = tmp_path / "home"
    a, b = tmp_path / "a", tmp_path / "b"
    write_feed(a, "services", [SERVICE])
    write_feed(a, "transactions", [transaction(1)])
    st = settings_for(database_url, home)
    load(a, database_url, settings=st)
    write_feed(b, "transactions", [transaction(2, client_id="C2", transaction_ts="2024-02-03T10:00:00Z")])
    load(b, database_url, settings=st)
    assert value_of(database_url, "SELECT count(DISTINCT client_key) FROM dwh.fact_transactions") == 2
