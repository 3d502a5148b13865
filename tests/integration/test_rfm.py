"""Segments of a loaded warehouse: what they are made of, that they are written once, and what follows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from ml.rfm import segmentation
from ml.rfm.history import model_for, stored
from ml.rfm.rates import read_rates
from ml.rfm.report import report
from ml.rfm.segmentation import Segmented
from ml.rfm.values import read_values
from ml.rfm.window import Window
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import (
    cauri,
    execute,
    load,
    rows_of,
    sample_folder,
    settings_for,
    transaction,
    value_of,
    write_feed,
)
from warehouse.connection import connect
from warehouse.errors import ConfigurationError, DataRefusedError, NothingToDoError, TargetError
from warehouse.lock import single_writer

PLAN = SamplePlan(rows=20_000, months=14, clients=300)
AS_OF, BEFORE, TODAY = date(2025, 3, 1), date(2025, 2, 1), date(2025, 3, 20)


@pytest.fixture(scope="module")
def loaded(template_database: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """A warehouse of 14 months without segments: server and database, of which tests that write take a copy."""
    server, template = template_database
    with copied_database(server, template) as url:
        load(sample_folder(PLAN), url)
        yield server, urlsplit(url).path.removeprefix("/")


@contextmanager
def a_copy(loaded: tuple[str, str]) -> Iterator[str]:
    with copied_database(*loaded) as url:
        yield url


@pytest.fixture(scope="module")
def fitted(loaded: tuple[str, str]) -> Iterator[tuple[str, Segmented]]:
    """A copy with segments of two days by one model; tests leave it as it is."""
    with a_copy(loaded) as url:
        done = segmentation.fit(url, settings_for(url), None, TODAY)
        segmentation.assign(url, BEFORE, TODAY, version=done.model.version)
        yield url, done


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch, fitted: tuple[str, Segmented]) -> None:
    """How firm a model is takes most of a fit: tests take the figures of the first."""
    monkeypatch.setattr("ml.rfm.segmentation.quality", lambda *_: fitted[1].quality)


@pytest.fixture
def own(loaded: tuple[str, str]) -> Iterator[str]:
    """A copy of the test's own, without segments."""
    with a_copy(loaded) as url:
        yield url


def stored_on(url: str, day: date) -> pl.DataFrame:
    with connect(url) as connection:
        return stored(connection, day)


@pytest.mark.parametrize(("day", "since"), [(BEFORE, date(2024, 2, 1)), (AS_OF, date(2024, 3, 1))])
def test_values_are_those_of_the_facts(fitted: tuple[str, Segmented], day: date, since: date) -> None:
    url, _ = fitted
    rates = read_rates().rates
    facts = rows_of(
        url,
        "SELECT d.client_ref, f.date_key, cu.currency_code, cu.exponent, f.amount_minor"
        " FROM dwh.fact_transactions f JOIN dwh.dim_client c USING (client_key)"
        " JOIN dwh.dim_client d ON d.client_key = c.durable_key JOIN dwh.dim_currency cu USING (currency_key)"
        " JOIN dwh.dim_status st USING (status_key)"
        " WHERE st.status_code = 'SUCCESS' AND d.durable_key <> 0",
    )
    expected: dict[bytes, tuple[int, int, Decimal]] = {}
    for ref, key, code, exponent, minor in facts:
        then = date(key // 10_000, key // 100 % 100, key % 100)
        recency, frequency, monetary = expected.get(ref, (10**6, 0, Decimal(0)))
        if then >= day:
            continue
        if then >= since:
            frequency += 1
            monetary += Decimal(minor).scaleb(-exponent) * Decimal(rates[code])
        expected[ref] = (min(recency, (day - then).days), frequency, monetary)
    found = stored_on(url, day)
    assert found.height == len(expected) > 200
    for ref, recency, frequency, monetary in found.select("client_ref", "recency", "frequency", "monetary").iter_rows():
        assert (recency, frequency) == expected[ref][:2]
        assert abs(Decimal(monetary) - expected[ref][2]) <= Decimal("0.5")
    assert found.filter(pl.col("frequency") == 0)["segment"].unique().to_list() in ([], [5])


def test_it_enters_the_ledger_with_its_rows(fitted: tuple[str, Segmented]) -> None:
    url, done = fitted
    count = sum(done.counts.values())
    assert rows_of(url, "SELECT DISTINCT load_id FROM ml.client_segment WHERE as_of = %s", AS_OF) == [(done.run_id,)]
    assert rows_of(url, "SELECT leaf, state, row_count FROM ops.leaf WHERE run_id = %s", done.run_id) == [
        (f"segments {AS_OF}", "segments", count)
    ]
    assert rows_of(url, "SELECT command, status FROM ops.run WHERE run_id = %s", done.run_id) == [("rfm fit", "done")]
    assert value_of(url, "SELECT count(*) FROM ml.segment WHERE action <> '' AND action_fr <> ''") == 5
    # A load's freshness is not that of segments.
    last_load = value_of(url, "SELECT max(finished_at) FROM ops.run WHERE command = 'load'")
    assert cauri("status", "--json", url=url).json["freshness"]["last_success"] == str(last_load)


def test_twice_changes_nothing(fitted: tuple[str, Segmented]) -> None:
    url, done = fitted
    before = rows_of(url, "SELECT xmin::text, s::text FROM ml.client_segment s ORDER BY 2")
    runs = value_of(url, "SELECT count(*) FROM ops.run")
    with pytest.raises(NothingToDoError, match=done.model.version):
        segmentation.fit(url, settings_for(url), AS_OF, TODAY)
    with pytest.raises(NothingToDoError):
        segmentation.assign(url, AS_OF, TODAY)
    assert rows_of(url, "SELECT xmin::text, s::text FROM ml.client_segment s ORDER BY 2") == before
    assert value_of(url, "SELECT count(*) FROM ops.run") == runs


def test_a_late_transaction_replaces_the_day_and_may_be_taken_back(own: str, tmp_path: Path) -> None:
    first = segmentation.fit(own, settings_for(own), AS_OF, TODAY)
    stood = stored_on(own, AS_OF).drop("load_id")
    late = {"transaction_id": "LATE", "client_id": "CLI-000001", "service_id": "SAL-BULK", "amount": "77"}
    moment = {"transaction_ts": "2025-02-28T10:00:00Z", "updated_at": "2025-02-28T10:00:00Z"}
    write_feed(tmp_path / "one", "transactions", [transaction(1, **late | moment)])
    load(tmp_path / "one", own)
    second = segmentation.assign(own, AS_OF, TODAY)
    assert second.model.version == first.model.version
    changed = stored_on(own, AS_OF).drop("load_id").join(stood, on=stood.columns, how="anti", nulls_equal=True)
    assert changed.height == 1
    assert changed["recency"].item() == 1
    # Reversed, it is no success any longer: the values are those of before, and so are the segments.
    moment["updated_at"] = "2025-03-02T10:00:00Z"
    write_feed(tmp_path / "two", "transactions", [transaction(1, status="REVERSED", **late | moment)])
    load(tmp_path / "two", own)
    third = segmentation.assign(own, AS_OF, TODAY)
    assert stored_on(own, AS_OF).drop("load_id").equals(stood)
    assert first.run_id < second.run_id < third.run_id
    assert value_of(own, "SELECT count(*) FROM ops.leaf WHERE state = 'segments'") == 3


def test_moves_by_a_refit_are_told_apart(own: str) -> None:
    old = segmentation.fit(own, settings_for(own), BEFORE, TODAY)
    segmentation.assign(own, AS_OF, TODAY)
    frozen = report(own, AS_OF, BEFORE).to_json()["migration"]
    assert (frozen["is_refit"], frozen["moved_by_refit"]) == (False, 0)
    assert frozen["moved_by_clients"] > 0
    new = segmentation.fit(own, settings_for(own), AS_OF, TODAY)
    assert new.model.version != old.model.version
    refitted = report(own, None, None).to_json()["migration"]
    assert refitted["is_refit"]
    assert refitted["moved_by_refit"] > 0
    # What clients did does not depend on whether anybody fitted a model.
    assert refitted["by_clients"] == frozen["by_clients"]


def test_other_rates_are_no_moves_of_clients(own: str, tmp_path: Path) -> None:
    segmentation.fit(own, settings_for(own), BEFORE, TODAY)
    segmentation.assign(own, AS_OF, TODAY)
    expected = report(own, AS_OF, None).to_json()["migration"]["by_clients"]
    path = tmp_path / "rates.toml"
    declared = {code: "1" if code == "XOF" else str(Decimal(rate) * 1000) for code, rate in read_rates().rates.items()}
    lines = "\n".join(f'{code} = "{rate}"' for code, rate in declared.items())
    path.write_text(f'reporting = "XOF"\n[rates]\n{lines}\n', encoding="utf-8")
    done = segmentation.fit(own, settings_for(own, rates=path), AS_OF, TODAY)
    assert done.model.rates.rates["GHS"] == "50000"
    assert report(own, AS_OF, BEFORE).to_json()["migration"]["by_clients"] == expected


def test_a_currency_without_a_rate(own: str, tmp_path: Path) -> None:
    path = tmp_path / "rates.toml"
    path.write_text('reporting = "XOF"\n[rates]\nXOF = "1"\n', encoding="utf-8")
    with pytest.raises(DataRefusedError, match="GHS"):
        segmentation.fit(own, settings_for(own, rates=path), AS_OF, TODAY)
    assert value_of(own, "SELECT count(*) FROM ml.segment_model") == 0


def test_the_report(fitted: tuple[str, Segmented]) -> None:
    url, done = fitted
    told = report(url, None, None).to_json()
    assert (told["as_of"], told["migration"]["since"]) == ("2025-03-01", "2025-02-01")
    assert told["model"] == done.model.version
    assert sum(one["clients"] for one in told["segments"]) == told["clients"] == sum(done.counts.values())
    assert sum(one["share"] for one in told["segments"]) == pytest.approx(1)
    assert sum(one["revenue_share"] for one in told["segments"]) == pytest.approx(1)
    at = {one["segment"]: one for one in told["segments"]}
    assert at[1]["revenue_share"] == max(one["revenue_share"] for one in told["segments"])
    assert at[5]["churn_risk"] > at[1]["churn_risk"]
    ahead = {one["segment"]: one for one in told["outlook"]["segments"]}
    assert told["outlook"]["reason"] == ""
    assert (told["outlook"]["as_of"], told["outlook"]["until"]) == ("2024-09-01", "2025-03-01")
    assert ahead[1]["lift"] > 1 > ahead[5]["lift"]
    assert ahead[1]["retained"] > ahead[5]["retained"]


def test_a_look_ahead_knows_nothing_later(own: str) -> None:
    segmentation.fit(own, settings_for(own), AS_OF, TODAY)
    before = report(own, AS_OF, None).outlook.by_segment
    assert before is not None
    execute(own, "UPDATE dwh.fact_daily_client_summary SET commission_minor = 0 WHERE date_key >= 20240901")
    after = report(own, AS_OF, None).outlook.by_segment
    assert after is not None
    assert after.select("segment", "clients", "retained", "predicted").equals(
        before.select("segment", "clients", "retained", "predicted")
    )
    assert after["revenue_minor"].sum() == 0


def test_without_the_months_there_is_no_look_ahead(own: str) -> None:
    segmentation.fit(own, settings_for(own), date(2024, 7, 1), TODAY)
    assert "transactions begin on" in report(own, None, None).outlook.reason
    late = date(2025, 3, 15)
    segmentation.assign(own, late, TODAY)
    assert "transactions end on 2025-02-28" in report(own, late, None).outlook.reason


def test_the_view(fitted: tuple[str, Segmented]) -> None:
    url, done = fitted
    names = {1: "Champions", 2: "Loyal", 3: "At Risk", 4: "Hibernating", 5: "Lost"}
    found = rows_of(
        url,
        "SELECT segment, segment_name, count(*), count(DISTINCT client_code), bool_and(is_newest),"
        " min(currency_code), count(previous_segment) > 0 FROM dwh.v_client_segments WHERE as_of = %s"
        " GROUP BY 1, 2 ORDER BY 1",
        AS_OF,
    )
    assert found == [(number, names[number], count, count, True, "XOF", True) for number, count in done.counts.items()]


def test_a_model_that_was_changed(own: str) -> None:
    segmentation.fit(own, settings_for(own), BEFORE, TODAY)
    execute(
        own,
        "UPDATE ml.segment_model SET document = replace(document::text, '\"seed\": 1', '\"seed\": 2')::json",
    )
    with pytest.raises(TargetError, match="hash does not match"):
        segmentation.assign(own, AS_OF, TODAY)


def test_models_that_do_not_fit_the_day(fitted: tuple[str, Segmented], loaded: tuple[str, str]) -> None:
    url, done = fitted
    with connect(url) as connection:
        assert model_for(connection, AS_OF).model == done.model
        with pytest.raises(ConfigurationError, match="every model is of a later day than 2025-01-31") as error:
            model_for(connection, date(2025, 1, 31))
        assert done.model.version in error.value.remedy
        with pytest.raises(ConfigurationError, match=f"no model nix; there are {done.model.version}"):
            model_for(connection, AS_OF, "nix")
    with a_copy(loaded) as empty, pytest.raises(ConfigurationError, match="no segmentation has been fitted"):
        segmentation.assign(empty, AS_OF, TODAY)


def test_days_without_segments(fitted: tuple[str, Segmented], loaded: tuple[str, str]) -> None:
    url, _ = fitted
    with pytest.raises(ConfigurationError, match="no segments of 2025-01-01; there are of 2025-03-01, 2025-02-01"):
        report(url, date(2025, 1, 1), None)
    with pytest.raises(ConfigurationError, match="a day before 2025-02-01; 2025-03-01 is none"):
        report(url, BEFORE, AS_OF)
    with a_copy(loaded) as empty, pytest.raises(ConfigurationError, match="no client has a segment yet"):
        report(empty, None, None)


def test_an_empty_warehouse(database_url: str) -> None:
    with pytest.raises(DataRefusedError, match="no successful transaction"):
        segmentation.fit(database_url, settings_for(database_url), None, TODAY)


def test_the_unknown_client_and_failures_have_no_values(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [{"service_id": "S1", "service_name": "S", "category": "PAYROLL"}])
    rows = [transaction(number, client_id=f"C{number}") for number in range(1, 4)]
    write_feed(tmp_path, "transactions", [*rows, transaction(4, client_id="C4", status="FAILED")])
    load(tmp_path, database_url)
    execute(
        database_url,
        "UPDATE dwh.fact_daily_client_summary SET client_durable_key = 0, client_key = 0 WHERE client_durable_key ="
        " (SELECT min(client_durable_key) FROM dwh.fact_daily_client_summary WHERE successes > 0)",
    )
    found = read_values(database_url, Window(date(2024, 1, 16)), read_rates()).clients
    assert found.select("recency", "frequency", "monetary_minor").rows() == [(1, 1, 1000)] * 2
    with pytest.raises(DataRefusedError, match=r"2 active client\(s\)"):
        segmentation.fit(database_url, settings_for(database_url), None, TODAY)
    with pytest.raises(DataRefusedError, match="from 2024-03-20 to before 2025-03-20"):
        segmentation.fit(database_url, settings_for(database_url), TODAY, TODAY)


def test_nothing_is_written_while_another_run_writes(own: str) -> None:
    with single_writer(own), pytest.raises(Exception, match="another run is writing"):
        segmentation.fit(own, settings_for(own), AS_OF, TODAY)


def test_a_run_that_fails_leaves_no_segments_and_says_so(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the disk of the test")

    monkeypatch.setattr("ml.rfm.history.record_work", broken)
    with pytest.raises(RuntimeError):
        segmentation.fit(own, settings_for(own), AS_OF, TODAY)
    assert value_of(own, "SELECT count(*) FROM ml.client_segment") == 0
    assert value_of(own, "SELECT count(*) FROM ml.segment_model") == 0
    assert rows_of(own, "SELECT command, status FROM ops.run ORDER BY run_id DESC LIMIT 1") == [("rfm fit", "failed")]
