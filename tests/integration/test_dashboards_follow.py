"""Dashboards follow whatever happens to the warehouse: a refresh of what changed equals computing everything anew."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from engine.dashboard_tables import NAMES, STORED, DashboardTables, compute_cases, compute_month
from engine.stale import mark_all
from ml.rfm import segmentation
from tests.dashboards import (
    SECOND,
    TODAY,
    busiest_client,
    copied,
    filled,
    good_transactions,
    invented,
    later,
    load_rows,
    refresh,
    refreshed,
    sample_rows,
    score,
    stale_views,
)
from tests.loading import cauri, execute, rows_of, settings_for, value_of
from tests.replaying import replay
from warehouse.connection import Connection, connect, sql

ALL_DAYS = 91


@pytest.fixture(scope="module")
def original(template_database: tuple[str, str]) -> Iterator[str]:
    with filled(*template_database) as url:
        yield url


@pytest.fixture
def url(original: str) -> Iterator[str]:
    with copied(original) as made:
        yield made


def late_rows(url: str) -> None:
    load_rows(url, *(invented(n, "2024-02-10", amount="777") for n in range(3)))


def changes_of_status(url: str) -> None:
    load_rows(url, *(later(row, status="REVERSED") for row in good_transactions(url, 4)))


def another_day(url: str) -> None:
    row = good_transactions(url, 1)[0]
    load_rows(url, later(row, transaction_ts="2024-02-20T23:10:00Z"))


def new_month(url: str) -> None:
    load_rows(url, invented(1, "2024-05-02"))


def client_told_late(url: str) -> None:
    row = busiest_client()
    load_rows(
        url,
        {**row, "customer_segment": "OTHER", "effective_at": "2024-02-03T00:00:00Z"},
        feed="clients",
    )
    assert rows_of(url, "SELECT 1 FROM ops.stale_day WHERE facts") != []


def client_in_another_country(url: str) -> None:
    row = busiest_client()
    load_rows(url, {**row, "country_code": "TG", "effective_at": "2024-03-25T00:00:00Z"}, feed="clients")


def client_that_was_inferred(url: str) -> None:
    load_rows(url, invented(1, "2024-02-02", client_id="NEWCOMER"), invented(2, "2024-03-02", client_id="NEWCOMER"))
    refresh(url)
    row = busiest_client()
    load_rows(url, {**row, "client_id": "NEWCOMER", "effective_at": "2024-01-01T00:00:00Z"}, feed="clients")


def place_in_another_country(url: str) -> None:
    load_rows(url, invented(1, "2024-02-02", client_id="STRANGER", location_code="NOWHERE"))
    refresh(url)
    assert value_of(url, "SELECT count(*) FROM dwh.activity_day WHERE country_code = 'UNKNOWN'") > 0
    load_rows(url, {"location_code": "NOWHERE", "city": "Lome", "country_code": "TG"}, feed="locations")


def labels(url: str) -> None:
    rows = good_transactions(url, 3)
    told = [{"transaction_id": row["transaction_id"], "is_fraud": "1"} for row in rows]
    load_rows(url, *({**row, "reported_at": "2024-06-01T00:00:00Z"} for row in told), feed="fraud_labels")
    refresh(url)
    told[0]["is_fraud"] = "0"
    load_rows(url, {**told[0], "reported_at": "2024-06-02T00:00:00Z"}, feed="fraud_labels")


def labels_of_everything(url: str) -> None:
    ids = rows_of(url, "SELECT transaction_id FROM dwh.fact_transactions ORDER BY 1")
    told = {"is_fraud": "0", "reported_at": "2024-06-01T00:00:00Z"}
    load_rows(url, *({"transaction_id": one, **told} for (one,) in ids), feed="fraud_labels")


def labels_before_their_transactions(url: str) -> None:
    label = {"transaction_id": "T77", "is_fraud": "1", "reported_at": "2024-06-01T00:00:00Z"}
    load_rows(url, label, feed="fraud_labels")
    refresh(url)
    load_rows(url, invented(77, "2024-02-02"))


def scores(url: str) -> None:
    score(url, [20240210, 20240329], salt=2)


def other_segments(url: str) -> None:
    segmentation.fit(url, settings_for(url), SECOND, TODAY)
    segmentation.assign(url, date(2024, 4, 1), TODAY)


def refused_rows(url: str) -> None:
    load_rows(url, invented(5, "2024-02-02", service_id="NONE"))
    refresh(url)
    service = {"service_id": "NONE", "service_name": "Novelty", "category": "OTHER", "commission_rate": "0"}
    load_rows(url, service, feed="services")
    assert replay(url).to_json()["rows"]["loaded"] > 0


def regrained(url: str) -> None:
    for table in ("dwh.fact_transactions", "dwh.fact_daily_client_summary"):
        done = cauri("partitions", "regrain", table, "--grain", "quarter", url=url)
        assert done.code == 0, done.told


def renamed_service(url: str) -> None:
    service = sample_rows("services")[0]
    load_rows(url, {**service, "service_name": "Another name"}, feed="services")


@pytest.mark.parametrize(
    "happens",
    [
        late_rows,
        changes_of_status,
        another_day,
        new_month,
        client_told_late,
        client_in_another_country,
        client_that_was_inferred,
        place_in_another_country,
        labels,
        labels_of_everything,
        labels_before_their_transactions,
        scores,
        other_segments,
        refused_rows,
        regrained,
        renamed_service,
    ],
)
def test_a_refresh_of_what_changed_equals_a_rebuild(url: str, happens: Callable[[str], Any]) -> None:
    before = figures(url)
    happens(url)
    assert stale_views(url) != []
    done = refreshed(url)
    assert done.views
    assert happens is regrained or done.days < ALL_DAYS
    assert (figures(url) == before) == (happens is regrained)


def test_cases_are_the_same_whether_days_are_read_whole_or_each_is_looked_up(url: str) -> None:
    every_case = "SELECT * FROM dwh.fraud_case ORDER BY transaction_id"
    labels_of_everything(url)
    refresh(url)
    cases = rows_of(url, every_case)
    days = rows_of(url, "SELECT date_key, count(*) FROM dwh.fact_transactions GROUP BY 1 ORDER BY 1")
    assert len(cases) == sum(rows for _, rows in days) > 1_000
    with connect(url) as connection, connection.transaction():
        # Without totals nobody knows how much of its days this is.
        connection.execute("DELETE FROM ops.day_total")
        compute_cases(connection, STORED, [day for day, _ in days])
    assert rows_of(url, every_case) == cases


def figures(url: str) -> list[Any]:
    names = rows_of(url, "SELECT matviewname FROM pg_matviews WHERE schemaname = 'dwh' ORDER BY 1")
    digest = sql.SQL("SELECT coalesce(sum(hashtextextended(v::text, 0)::numeric), 0)::text FROM {} v")
    return [value_of(url, digest.format(sql.Identifier("dwh", name))) for (name,) in names]


def test_days_that_are_archived_and_dropped_go_and_come_back(url: str, tmp_path: Path) -> None:
    before = figures(url)
    for table in ("dwh.fact_transactions", "dwh.fact_daily_client_summary", "ml.fraud_score"):
        said = cauri("partitions", "archive", table, "2024-02", "--drop", url=url, home=tmp_path)
        assert said.code == 0, said.told
        assert stale_views(url) != []
        refreshed(url)
    assert value_of(url, "SELECT count(*) FROM dwh.v_activity_by_day WHERE date_key / 100 = 202402") == 0
    for table in ("dwh.fact_transactions", "ml.fraud_score"):
        said = cauri("partitions", "restore", table, "2024-02", url=url, home=tmp_path)
        assert said.code == 0, said.told
        assert stale_views(url) != []
    refreshed(url)
    assert figures(url) == before


def test_what_was_computed_before_an_end_stays(url: str) -> None:
    with connect(url) as connection:
        mark_all(connection)

    def fail_in_march(connection: Connection, tables: DashboardTables, month: date) -> None:
        if month == date(2024, 3, 1):
            raise KeyboardInterrupt
        compute_month(connection, tables, month)

    with mock.patch("engine.dashboards.compute_month", fail_in_march), pytest.raises(KeyboardInterrupt):
        refresh(url)
    assert value_of(url, "SELECT min(date_key) / 100 FROM ops.stale_day") == 202403
    assert refreshed(url).days > 0


def test_nothing_is_computed_where_nothing_changed(url: str) -> None:
    assert refreshed(url).is_nothing


def test_verify_finds_what_was_changed_by_hand_and_mends_it(url: str) -> None:
    for table in NAMES:
        name = sql.Identifier("dwh", table)
        execute(url, sql.SQL("DELETE FROM {0} WHERE ctid = (SELECT min(ctid) FROM {0})").format(name))
    found = cauri("refresh", "--verify", "--json", url=url)
    assert found.code == 1
    assert sorted(found.json["verified"]["tables"]) == sorted(NAMES)
    assert all(found.json["verified"]["tables"].values())
    assert cauri("refresh", "--verify", "--mend", url=url).code == 0
    refreshed(url)
