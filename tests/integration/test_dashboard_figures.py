"""Every figure of every view of the dashboards, against a computation from the files that were loaded."""

import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from math import isclose
from typing import Any

import polars as pl
import pytest
from psycopg import sql

from ml.rfm import segmentation
from ml.rfm.rates import DEFAULT_FILE
from tests.dashboard_figures import Figures, rounded
from tests.dashboards import (
    FIRST,
    PLAN,
    SECOND,
    TODAY,
    busiest_client,
    invented,
    refresh,
    sample_rows,
    score,
    stale_views,
)
from tests.database import copied_database
from tests.loading import client, load, new_folder, rows_of, sample_folder, settings_for, value_of, write_feed

SCORED = [20240105, 20240210, 20240211, 20240330]
REFIT = date(2024, 4, 1)
CODES = ("country_code", "customer_segment")


@pytest.fixture(scope="module")
def shown(template_database: tuple[str, str]) -> Iterator[tuple[str, Figures]]:
    """A sample; then late rows, an unknown client, changes of status, a changed client, labels, scores, segments."""
    more = new_folder("more")
    with copied_database(*template_database) as url:
        load(sample_folder(PLAN), url)
        refresh(url)
        score(url, SCORED, salt=1)
        _write_more(more)
        load(more, url)
        score(url, SCORED, salt=2)
        segmentation.fit(url, settings_for(url), FIRST, TODAY)
        segmentation.assign(url, SECOND, TODAY)
        refresh(url)
        segmentation.fit(url, settings_for(url), REFIT, TODAY)
        refresh(url)
        days = {date(key // 10_000, key // 100 % 100, key % 100): 2 for key in SCORED}
        yield url, Figures([sample_folder(PLAN), more], days)


def _write_more(folder: Any) -> None:
    rows = [row for row in sample_rows("transactions") if row["status"] == "SUCCESS"][:400:40]
    told = [{**row, "status": "REVERSED", "updated_at": "2024-06-30T00:00:00Z"} for row in rows]
    told += [invented(n, "2024-02-10", amount="99999999999999", processing_ms="70000") for n in range(3)]
    told += [invented(10, "2024-02-11", client_id="STRANGER", location_code="SN-DKR")]
    told += [invented(11, "2024-02-11", client_id="STRANGER", location_code="", currency="TND", amount="1.234")]
    write_feed(folder, "transactions", told)
    changed = {**busiest_client(), "customer_segment": "STRATEGIC", "country_code": "TG"}
    write_feed(
        folder, "clients", [{**changed, "effective_at": "2024-02-15T00:00:00Z"}, client("N1", "2024-01-01T00:00:00Z")]
    )
    labels = [{"transaction_id": row["transaction_id"], "is_fraud": "1"} for row in rows]
    write_feed(folder, "fraud_labels", [{**one, "reported_at": "2024-06-30T00:00:00Z"} for one in labels])


VIEWS = {
    "mv_daily_kpi": "key_figures",
    "mv_activity_rollup": "rollup",
    "v_activity_by_day": "activity",
    "mv_monthly_active_clients": "active_clients",
    "mv_service_by_day": "services",
    "v_fraud_by_day": "frauds",
    "mv_fraud_heat_map": "heat_map",
    "mv_amount_saved": "saved",
    "mv_clients_at_risk": "clients_at_risk",
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_what_the_files_say(shown: tuple[str, Figures], view: str) -> None:
    url, figures = shown
    expected: pl.DataFrame = getattr(figures, VIEWS[view])()
    assert_shows(url, view, expected)


def test_the_worst_client_comes_first(shown: tuple[str, Figures]) -> None:
    order = rows_of(shown[0], "SELECT frauds, blocked, alerts FROM dwh.mv_clients_at_risk ORDER BY rank")
    assert order == sorted(order, reverse=True)
    ranks = rows_of(shown[0], "SELECT rank FROM dwh.mv_clients_at_risk ORDER BY rank")
    assert [rank for (rank,) in ranks] == list(range(1, len(ranks) + 1))


@pytest.fixture(scope="module")
def members(shown: tuple[str, Figures]) -> pl.DataFrame:
    """Clients of each segmentation, with what the model says and what the files say."""
    url, figures = shown
    rates = tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))["rates"]
    return pl.concat(figures.members(day, rates, segments(url, day)) for day in (FIRST, SECOND, REFIT))


def segments(url: str, as_of: date) -> pl.DataFrame:
    rows = rows_of(
        url,
        "SELECT c.as_of, c.client_ref, c.segment, n.name, n.name_fr, 1 - c.alive_probability, c.expected_revenue"
        " FROM ml.client_segment c JOIN ml.segment n USING (segment) WHERE as_of = %s",
        as_of,
    )
    kinds = {"as_of": pl.Date, "client_ref": pl.Binary, "segment": pl.Int64, "segment_name": pl.String}
    kinds |= {"segment_name_fr": pl.String, "risk": pl.Float64, "expected": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row").with_columns(currency_code=pl.lit("XOF"))


GROUPED = ("as_of", "segment", "segment_name", "segment_name_fr", *CODES, "currency_code")


def test_distribution_of_segments(shown: tuple[str, Figures], members: pl.DataFrame) -> None:
    sums = {f"{name}_sum": pl.col(name).sum() for name in ("recency", "frequency", "monetary")}
    expected = members.group_by(GROUPED).agg(clients=pl.len(), **sums)
    assert_shows(shown[0], "mv_rfm_distribution", expected)


def test_lifetime_value(shown: tuple[str, Figures], members: pl.DataFrame) -> None:
    expected = members.group_by(GROUPED).agg(
        clients=pl.len(), expected_revenue_sum=pl.col("expected").sum(), past_revenue_sum=pl.col("past").sum()
    )
    assert_shows(shown[0], "mv_lifetime_value", expected)


def test_risk_of_churn(shown: tuple[str, Figures], members: pl.DataFrame) -> None:
    risk = pl.col("risk")
    band = pl.when(risk < 0.3).then(pl.lit("low")).when(risk < 0.7).then(pl.lit("medium")).otherwise(pl.lit("high"))
    expected = members.group_by(
        *GROUPED, risk_band=pl.when(risk.is_null()).then(pl.lit("unknown")).otherwise(band)
    ).agg(
        clients=pl.len(),
        churn_risk_sum=rounded(risk.sum(), 6),
        revenue_at_risk=rounded((risk * pl.col("expected")).sum(), 4),
    )
    assert_shows(shown[0], "mv_churn_risk", expected)


def test_migration_between_segments(shown: tuple[str, Figures], members: pl.DataFrame) -> None:
    moves = []
    for before, after in ((FIRST, SECOND), (SECOND, REFIT)):
        old, new = (members.filter(as_of=day).select("client_id", *CODES, "segment") for day in (before, after))
        both = old.select("client_id", from_segment="segment").join(new, "client_id", "full", coalesce=True)
        moves.append(
            both.with_columns(from_as_of=pl.lit(before), to_as_of=pl.lit(after), is_refit=pl.lit(after == REFIT))
        )
    named = (
        pl.concat(moves)
        .rename({"segment": "to_segment"})
        .with_columns(pl.col("from_segment", "to_segment").fill_null(0))
    )
    assert named["country_code"].null_count() == 0
    expected = named.group_by(pl.exclude("client_id")).agg(clients=pl.len())
    assert_shows(shown[0], "mv_segment_migration", expected)


def assert_shows(url: str, view: str, expected: pl.DataFrame) -> None:
    """A view has the rows that are expected, and no other; what it is grouped by stands first."""
    names = sql.SQL(", ").join(map(sql.Identifier, expected.columns))
    found = sorted(rows_of(url, sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier("dwh", view))), key=repr)
    wanted = sorted(expected.rows(), key=repr)
    assert wanted
    assert len(found) == len(wanted)
    assert [pair for pair in zip(found, wanted, strict=True) if not all(map(same, *pair))] == []


def same(found: Any, wanted: Any) -> bool:
    """Sums are exact; what is divided, or is a model's, agrees in eight digits."""
    if isinstance(wanted, float):
        return found is not None and isclose(float(found), wanted, rel_tol=1e-8, abs_tol=1e-6)
    return bool(found == wanted)


EMPTY = [
    *VIEWS,
    "mv_rfm_distribution",
    "mv_lifetime_value",
    "mv_churn_risk",
    "mv_segment_migration",
]


def test_an_empty_warehouse_has_empty_views_that_are_up_to_date_after_a_refresh(database_url: str) -> None:
    assert sorted(stale_views(database_url)) == sorted(EMPTY)
    refresh(database_url)
    assert stale_views(database_url) == []
    for view in EMPTY:
        assert value_of(database_url, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("dwh", view))) == 0


def test_one_day_without_labels_scores_and_segments(database_url: str) -> None:
    folder = new_folder("day")
    write_feed(folder, "transactions", [invented(1, "2024-02-10", processing_ms=""), invented(2, "2024-02-10")])
    write_feed(folder, "services", sample_rows("services"))
    load(folder, database_url)
    refresh(database_url)
    assert rows_of(database_url, "SELECT transactions, labelled, frauds, fraud_amount FROM dwh.v_fraud_by_day") == [
        (2, 0, 0, Decimal(0))
    ]
    for view in ("mv_amount_saved", "mv_clients_at_risk", "mv_rfm_distribution", "mv_segment_migration"):
        assert value_of(database_url, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("dwh", view))) == 0
    assert value_of(database_url, "SELECT p95_processing_ms FROM dwh.mv_service_by_day") == 500
