"""A generated sample, loaded: the warehouse holds what truth.json says, and every table agrees with the fact."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.summary import Summary
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import IDENTIFIERS, content, load, rows_of, sample_folder, state, truth_of, value_of

PLANS = {
    "iso": SamplePlan(rows=6_000, months=3, dirty_share=0.01, duplicate_share=0.01, update_share=0.03),
    "french": SamplePlan(rows=4_000, seed=2, dialect="french", months=2, dirty_share=0.02, compression="zstd"),
    "mixed": SamplePlan(rows=4_000, seed=3, dialect="mixed", months=3, dirty_share=0.02, compression="gzip"),
    "parquet": SamplePlan(rows=4_000, seed=4, format="parquet", months=2, dirty_share=0.02),
}
COUNTS = ("read", "loaded", "updated", "repeated", "rejected", "rejected_by_reason")


@dataclass
class Loaded:
    url: str
    folder: Path
    truth: dict[str, Any]
    summary: Summary


@pytest.fixture(scope="module", params=PLANS)
def loaded(request: pytest.FixtureRequest, template_database: tuple[str, str]) -> Iterator[Loaded]:
    """A warehouse with a sample; the first one was loaded by worker processes."""
    folder = sample_folder(PLANS[request.param])
    with copied_database(*template_database) as url:
        summary = load(folder, url, inline=request.param != "iso")
        yield Loaded(url, folder, truth_of(folder), summary)


def test_feeds_have_the_outcomes_of_the_truth(loaded: Loaded) -> None:
    found = {feed: {name: counts[name] for name in COUNTS} for feed, counts in loaded.summary.feeds.items()}
    assert found == loaded.truth["feeds"]


def test_files_have_the_outcomes_of_the_truth(loaded: Loaded) -> None:
    stored = rows_of(
        loaded.url, "SELECT file_name, rows_read, rows_loaded, rows_updated, rows_repeated, rows_rejected FROM ops.file"
    )
    truth = loaded.truth["files"]
    assert {name: tuple(counts) for name, *counts in stored} == {
        name: tuple(counts[each] for each in COUNTS[:5]) for name, counts in truth.items()
    }
    assert all(read == sum(rest) for _, read, *rest in stored)


def test_quarantine_holds_each_rejected_row_with_its_reason(loaded: Loaded) -> None:
    stored = rows_of(loaded.url, "SELECT feed, unnest(reasons), count(*) FROM ops.quarantine GROUP BY 1, 2")
    expected = {
        (feed, reason): rows
        for feed, counts in loaded.truth["feeds"].items()
        for reason, rows in counts["rejected_by_reason"].items()
    }
    assert {(feed, reason): rows for feed, reason, rows in stored} == expected


def test_money_is_exact_by_currency_and_status(loaded: Loaded) -> None:
    stored = rows_of(
        loaded.url,
        "SELECT currency_code, status_code, count(*), sum(amount_minor)::bigint, sum(commission_minor)::bigint"
        " FROM dwh.fact_transactions JOIN dwh.dim_currency USING (currency_key) JOIN dwh.dim_status USING (status_key)"
        " GROUP BY 1, 2",
    )
    expected = {
        (currency, status): (cell["count"], cell["amount_minor"], cell["commission_minor"])
        for currency, statuses in loaded.truth["transactions"]["by_currency_status"].items()
        for status, cell in statuses.items()
    }
    assert {(currency, status): tuple(sums) for currency, status, *sums in stored} == expected


def test_money_is_exact_by_month(loaded: Loaded) -> None:
    stored = rows_of(
        loaded.url, "SELECT date_key / 100, count(*), sum(amount_minor)::bigint FROM dwh.fact_transactions GROUP BY 1"
    )
    assert {
        f"{month // 100}-{month % 100:02}": {"count": count, "amount_minor": amount} for month, count, amount in stored
    } == (loaded.truth["transactions"]["by_month"])


def test_labels_are_those_of_the_files(loaded: Loaded) -> None:
    stored: Counter[bool] = Counter(
        dict(rows_of(loaded.url, "SELECT is_fraud, count(*) FROM ml.fraud_label GROUP BY 1"))
    )
    assert stored.total() == loaded.truth["feeds"]["fraud_labels"]["loaded"]
    assert 0 < stored[True] <= sum(loaded.truth["fraud"].values())
    lost = value_of(loaded.url, "SELECT count(*) FROM ml.fraud_label l WHERE NOT EXISTS"
                    " (SELECT FROM dwh.fact_transactions f WHERE f.transaction_id = l.transaction_id)")  # fmt: skip
    assert lost == 0


@pytest.mark.parametrize("parent", ["fact_transactions", "fact_daily_client_summary"])
def test_leaves_are_attached_with_the_bounds_of_their_month(loaded: Loaded, parent: str) -> None:
    leaves = rows_of(
        loaded.url,
        "SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid), c.relacl IS NULL,"
        " (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')"
        " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = %s::regclass ORDER BY 1",
        f"dwh.{parent}",
    )
    expected = []
    for month in loaded.truth["transactions"]["by_month"]:
        year, number = map(int, month.split("-"))
        after = (year + number // 12) * 10_000 + (number % 12 + 1) * 100 + 1
        bounds = f"FOR VALUES FROM ({year * 10_000 + number * 100 + 1}) TO ({after})"
        expected.append((f"dwh_parts.{parent}_{year}_{number:02}", bounds, True, 0))
    assert leaves == expected


def test_nothing_stays_in_staging(loaded: Loaded) -> None:
    assert state(loaded.url)["staging"].startswith("0 rows")
    assert value_of(loaded.url, "SELECT count(*) FROM ops.dirty_range") == 0


def test_indexes_are_valid_and_those_of_the_leaves_belong_to_the_parents(loaded: Loaded) -> None:
    assert value_of(loaded.url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready") == 0
    adopted = rows_of(
        loaded.url,
        "SELECT p.indexrelid::regclass::text, count(i.inhrelid) FROM pg_index p LEFT JOIN pg_inherits i"
        " ON i.inhparent = p.indexrelid WHERE p.indrelid = 'dwh.fact_transactions'::regclass GROUP BY 1 ORDER BY 1",
    )
    months = len(loaded.truth["transactions"]["by_month"])
    assert adopted == [("dwh.fact_transactions_date_client", months), ("dwh.fact_transactions_service", months)]
    # Not one index is built twice over.
    doubled = rows_of(
        loaded.url,
        "SELECT indrelid::regclass, indkey::text FROM pg_index GROUP BY 1, 2, indpred::text HAVING count(*) > 1",
    )
    assert doubled == []


def test_each_leaf_has_its_unique_index(loaded: Loaded) -> None:
    leaves = rows_of(
        loaded.url,
        "SELECT i.inhrelid::regclass::text FROM pg_inherits i WHERE i.inhparent IN"
        " ('dwh.fact_transactions'::regclass, 'dwh.fact_daily_client_summary'::regclass)"
        " AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid AND x.indisunique)",
    )
    assert leaves == []


def test_a_transaction_stands_once_in_the_whole_table(loaded: Loaded) -> None:
    doubled = rows_of(loaded.url, "SELECT transaction_id FROM dwh.fact_transactions GROUP BY 1 HAVING count(*) > 1")
    assert doubled == []


@pytest.mark.parametrize(
    "dimension", ["date", "time", "client", "service", "channel", "location", "beneficiary", "currency", "status"]
)
def test_no_fact_is_an_orphan(loaded: Loaded, dimension: str) -> None:
    orphans = value_of(
        loaded.url,
        f"SELECT count(*) FROM dwh.fact_transactions f WHERE NOT EXISTS"
        f" (SELECT FROM dwh.dim_{dimension} d WHERE d.{dimension}_key = f.{dimension}_key)",
    )
    assert orphans == 0


def test_days_and_minutes_are_those_of_the_business_zone(loaded: Loaded) -> None:
    wrong = value_of(
        loaded.url,
        "SELECT count(*) FROM dwh.fact_transactions WHERE"
        " date_key <> to_char(transaction_ts AT TIME ZONE 'Africa/Abidjan', 'YYYYMMDD')::int"
        " OR time_key <> extract(hour FROM transaction_ts AT TIME ZONE 'Africa/Abidjan') * 60"
        " + extract(minute FROM transaction_ts AT TIME ZONE 'Africa/Abidjan')",
    )
    assert wrong == 0


def test_facts_point_at_the_version_that_was_true(loaded: Loaded) -> None:
    """The first version of a client also covers what came before it."""
    wrong = value_of(
        loaded.url,
        """
        WITH version AS (
            SELECT client_key, durable_key, valid_to,
                   CASE WHEN valid_from = min(valid_from) OVER (PARTITION BY durable_key) THEN '-infinity'
                        ELSE valid_from END AS valid_from
            FROM dwh.dim_client)
        SELECT count(*) FROM dwh.fact_transactions f JOIN dwh.dim_client c USING (client_key)
        WHERE f.client_key IS DISTINCT FROM
              (SELECT v.client_key FROM version v
               WHERE v.durable_key = c.durable_key AND v.valid_from <= f.transaction_ts
               AND (v.valid_to IS NULL OR f.transaction_ts < v.valid_to))
        """,
    )
    assert wrong == 0
    several = value_of(
        loaded.url, "SELECT count(*) FROM (SELECT FROM dwh.dim_client GROUP BY durable_key HAVING count(*) > 1) t"
    )
    assert several > 10


def test_clients_have_one_history_each(loaded: Loaded) -> None:
    broken = value_of(
        loaded.url,
        """
        SELECT count(*) FROM (
            SELECT valid_to, is_current, client_ref, client_code, durable_key, client_key,
                   lead(valid_from) OVER w AS next_from, min(client_key) OVER (PARTITION BY client_ref) AS lowest,
                   lag(attribute_hash) OVER w AS hash_before, attribute_hash
            FROM dwh.dim_client WINDOW w AS (PARTITION BY client_ref ORDER BY valid_from)) v
        WHERE valid_to IS DISTINCT FROM next_from OR is_current <> (valid_to IS NULL) OR durable_key <> lowest
           OR hash_before = attribute_hash
        """,
    )
    assert broken == 0


SUMMARY_COLUMNS = (
    "amount_minor, success_amount_minor, commission_minor, processing_ms_sum, date_key, client_key, client_durable_key,"
    " transactions, successes, failures, pendings, reversals, processing_ms_count, distinct_beneficiaries, anomalies,"
    " service_key, currency_key"
)
RECOMPUTED = """
    SELECT sum(amount_minor)::bigint, sum(CASE status_code WHEN 'SUCCESS' THEN amount_minor ELSE 0 END)::bigint,
           sum(CASE status_code WHEN 'SUCCESS' THEN commission_minor ELSE 0 END)::bigint,
           sum(coalesce(processing_ms, 0))::bigint, date_key, f.client_key, c.durable_key, count(*)::int,
           count(*) FILTER (WHERE status_code = 'SUCCESS')::int, count(*) FILTER (WHERE status_code = 'FAILED')::int,
           count(*) FILTER (WHERE status_code = 'PENDING')::int, count(*) FILTER (WHERE status_code = 'REVERSED')::int,
           count(processing_ms)::int, count(DISTINCT nullif(beneficiary_key, 0))::int,
           count(nullif(anomaly_flags, 0))::int, service_key, currency_key
    FROM dwh.fact_transactions f JOIN dwh.dim_status USING (status_key) JOIN dwh.dim_client c USING (client_key)
    GROUP BY date_key, f.client_key, c.durable_key, service_key, currency_key
"""


def test_the_daily_summary_is_that_of_the_fact(loaded: Loaded) -> None:
    assert_summary_agrees(loaded.url)


KEY_FIGURES = """
    SELECT f.date_key, d.full_date, d.year, d.month_number, currency_code, count(*)::bigint AS n,
           count(*) FILTER (WHERE status_key = 1)::bigint, count(*) FILTER (WHERE status_key = 2)::bigint,
           count(DISTINCT c.durable_key),
           coalesce(sum(amount_minor) FILTER (WHERE status_key = 1), 0) / (10::numeric ^ exponent),
           coalesce(sum(commission_minor) FILTER (WHERE status_key = 1), 0) / (10::numeric ^ exponent),
           round(count(*) FILTER (WHERE status_key = 1)::numeric / count(*), 6), round(avg(processing_ms), 1)
    FROM dwh.fact_transactions f JOIN dwh.dim_date d USING (date_key) JOIN dwh.dim_currency USING (currency_key)
    JOIN dwh.dim_client c USING (client_key)
    GROUP BY 1, 2, 3, 4, 5, exponent ORDER BY 1, 5
"""


def assert_summary_agrees(url: str) -> None:
    """The daily summary and the materialized view equal a recomputation from the fact."""
    stored = f"SELECT {SUMMARY_COLUMNS} FROM dwh.fact_daily_client_summary"
    with psycopg.connect(url) as connection:
        for one, other in ((stored, RECOMPUTED), (RECOMPUTED, stored)):
            assert connection.execute(f"{one} EXCEPT ALL {other}").fetchall() == []
        shown = connection.execute("SELECT * FROM dwh.mv_daily_kpi ORDER BY date_key, currency_code").fetchall()
        assert shown == connection.execute(KEY_FIGURES).fetchall()


def test_no_identifier_is_in_the_warehouse(loaded: Loaded) -> None:
    for text in dumped(loaded.url):
        assert not any(identifier in text for identifier in IDENTIFIERS)


def dumped(url: str) -> Iterator[str]:
    """Every row of every table as text; bytes both as hexadecimal and as what they may spell."""
    tables = rows_of(
        url,
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN"
        " ('dwh', 'dwh_parts', 'staging', 'vault', 'ml', 'audit', 'ops') AND c.relkind IN ('r', 'm')",
    )
    with psycopg.connect(url) as connection:
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                yield " ".join(bytes(v).decode("latin1") if isinstance(v, bytes) else str(v) for v in row)


def test_the_run_is_in_the_books(loaded: Loaded) -> None:
    run = rows_of(
        loaded.url,
        "SELECT status, command, finished_at >= started_at, rows_read, rows_loaded, rows_updated, rows_repeated,"
        " rows_rejected, summary ->> 'status' FROM ops.run",
    )
    rows = loaded.summary.rows
    assert run == [
        ("done", "load", True, rows.read, rows.loaded, rows.updated, rows.repeated, rows.rejected, "done"),
    ]
    # Step 9 is the one that writes this: its own time is not known yet.
    assert rows_of(loaded.url, "SELECT step FROM ops.step ORDER BY step") == [(step,) for step in range(1, 10)]
    built = value_of(loaded.url, "SELECT sum(row_count)::bigint FROM ops.leaf WHERE state = 'built'")
    assert built == value_of(loaded.url, "SELECT count(*) FROM dwh.fact_transactions")


def test_workers_and_this_process_load_the_same(database_url: str, template_database: tuple[str, str]) -> None:
    folder = sample_folder(PLANS["iso"])
    load(folder, database_url)
    with copied_database(*template_database) as other:
        load(folder, other, inline=False)
        assert state(other) == state(database_url)


def test_the_same_rows_in_other_forms_load_the_same(database_url: str, template_database: tuple[str, str]) -> None:
    plain = {"rows": 1500, "months": 2, "dirty_share": 0.0}
    load(sample_folder(SamplePlan(**plain)), database_url)  # type: ignore[arg-type]
    for form in ({"dialect": "french"}, {"format": "parquet"}):
        with copied_database(*template_database) as other:
            load(sample_folder(SamplePlan(**plain, **form)), other)  # type: ignore[arg-type]
            assert content(other) == content(database_url)
