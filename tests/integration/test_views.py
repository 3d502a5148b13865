"""What analysts read: names in place of keys, decimals in place of minor units, nothing lost on the way."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.database import copied_database
from tests.loading import SERVICE, client, load, rows_of, transaction, value_of, write_feed
from warehouse.errors import CauriError

CHANNEL = {"channel_code": "APP", "channel_name": "Application"}
PLACE = {"location_code": "ABJ", "city": "Abidjan", "country_code": "CI"}


@pytest.fixture(scope="module")
def url(template_database: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("feeds")
    write_feed(folder, "services", [{**SERVICE, "commission_rate": "1.5"}])
    write_feed(folder, "channels", [CHANNEL])
    write_feed(folder, "locations", [PLACE])
    write_feed(
        folder,
        "clients",
        [client("C1", "2024-01-01T00:00:00Z"), client("C1", "2024-01-16T00:00:00Z", risk_level="HIGH")],
    )
    later = "2024-01-17T10:00:00Z"
    rows = [
        transaction(1, amount="1000", commission="15"),
        transaction(2, amount="500", commission="9", status="FAILED", processing_ms=""),
        transaction(3, amount="12.34", commission="0.18", currency="GHS", processing_ms="90000"),
        transaction(4, amount="1.234", commission="0.018", currency="TND"),
        transaction(
            5, amount="0", commission="0", transaction_ts=later, beneficiary_id="", channel_code="", location_code=""
        ),
        transaction(
            6, client_id="NOBODY", amount="99999999999999.99", commission="0", currency="KES", status="PENDING"
        ),
    ]
    write_feed(folder, "transactions", rows)
    with copied_database(*template_database) as made:
        load(folder, made)
        yield made


def test_transactions_with_names_and_decimals(url: str) -> None:
    found = rows_of(
        url,
        "SELECT transaction_id, transaction_amount, commission_amount, currency_code, status, risk_level, channel_name,"
        " city, service_name, hour, anomaly_flags FROM dwh.v_transactions ORDER BY transaction_id",
    )
    zero = Decimal("0.0000")
    named = ("Application", "Abidjan", "Salaries", 10)
    unnamed = ("Unknown", None, "Salaries", 10)
    assert found == [
        ("T1", Decimal("1000.0000"), Decimal("15.0000"), "XOF", "SUCCESS", "LOW", *named, 0),
        ("T2", Decimal("500.0000"), Decimal("9.0000"), "XOF", "FAILED", "LOW", *named, 1),
        ("T3", Decimal("12.3400"), Decimal("0.1800"), "GHS", "SUCCESS", "LOW", *named, 4),
        ("T4", Decimal("1.2340"), Decimal("0.0180"), "TND", "SUCCESS", "LOW", *named, 0),
        ("T5", zero, zero, "XOF", "SUCCESS", "HIGH", *unnamed, 18),
        ("T6", Decimal("99999999999999.9900"), zero, "KES", "PENDING", "UNKNOWN", *named, 1),
    ]


@pytest.mark.parametrize(
    ("view", "table"),
    [("v_transactions", "fact_transactions"), ("v_daily_client_summary", "fact_daily_client_summary")],
)
def test_a_view_loses_and_doubles_nothing(url: str, view: str, table: str) -> None:
    counted = f"SELECT (SELECT count(*) FROM dwh.{view}) - (SELECT count(*) FROM dwh.{table})"
    assert value_of(url, counted) == 0


def test_the_daily_summary(url: str) -> None:
    found = rows_of(
        url,
        "SELECT full_date::text, currency_code, transactions, successes, failures, pendings, amount, success_amount,"
        " commission, mean_processing_ms, distinct_beneficiaries, anomalies"
        " FROM dwh.v_daily_client_summary ORDER BY 1, 2",
    )
    assert [tuple(map(str, row)) for row in found] == [
        ("2024-01-15", "GHS", "1", "1", "0", "0", "12.3400", "12.3400", "0.1800", "90000.000000000000", "1", "1"),
        (
            "2024-01-15",
            "KES",
            "1",
            "0",
            "0",
            "1",
            "99999999999999.9900",
            "0.0000",
            "0.0000",
            "500.0000000000000000",
            "1",
            "1",
        ),
        ("2024-01-15", "TND", "1", "1", "0", "0", "1.2340", "1.2340", "0.0180", "500.0000000000000000", "1", "0"),
        (
            "2024-01-15",
            "XOF",
            "2",
            "1",
            "1",
            "0",
            "1500.0000",
            "1000.0000",
            "15.0000",
            "500.0000000000000000",
            "1",
            "1",
        ),
        ("2024-01-17", "XOF", "1", "1", "0", "0", "0.0000", "0.0000", "0.0000", "500.0000000000000000", "0", "1"),
    ]


def test_key_figures_by_day(url: str) -> None:
    found = rows_of(
        url,
        "SELECT full_date::text, currency_code, transactions::int, active_clients::int, success_amount,"
        " revenue, success_rate FROM dwh.mv_daily_kpi WHERE currency_code IN ('XOF', 'KES') ORDER BY 1, 2",
    )
    assert [tuple(map(str, row)) for row in found] == [
        ("2024-01-15", "KES", "1", "1", "0.0000", "0.0000", "0.000000"),
        ("2024-01-15", "XOF", "2", "1", "1000.0000", "15.0000", "0.500000"),
        ("2024-01-17", "XOF", "1", "1", "0.0000", "0.0000", "1.000000"),
    ]


def load_largest(url: str, folder: Path, rows: int) -> Decimal:
    """Load the largest amounts that the contract lets in, of one client, day and service; their sum in the summary."""
    write_feed(folder, "services", [SERVICE])
    amounts = [transaction(n, amount="99999999999999.999", currency="TND") for n in range(rows)]
    write_feed(folder, "transactions", amounts)
    load(folder, url)
    return Decimal(value_of(url, "SELECT sum(success_amount)::text FROM dwh.v_daily_client_summary"))


def test_the_largest_amounts_add_up_exactly(database_url: str, tmp_path: Path) -> None:
    assert load_largest(database_url, tmp_path, 92) == 92 * Decimal("99999999999999.999")


def test_a_sum_beyond_64_bits_is_exact_or_refused(database_url: str, tmp_path: Path) -> None:
    try:
        total = load_largest(database_url, tmp_path, 93)
    except CauriError:
        return
    assert total == 93 * Decimal("99999999999999.999")


def test_views_ask_for_the_rights_of_the_reader(url: str) -> None:
    careless = rows_of(
        url,
        "SELECT c.relname FROM pg_class c WHERE relnamespace = 'dwh'::regnamespace AND relkind = 'v'"
        " AND NOT coalesce(reloptions::text[] @> ARRAY['security_invoker=true'], false)",
    )
    assert careless == []


@pytest.mark.parametrize("view", ["v_transactions", "v_daily_client_summary", "mv_daily_kpi"])
def test_no_view_shows_a_pseudonym(url: str, view: str) -> None:
    columns = rows_of(
        url,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND atttypid = 'bytea'::regtype",
        f"dwh.{view}",
    )
    assert columns == []
