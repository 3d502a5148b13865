"""Nothing that identifies somebody or opens something is told; figures and moments are."""

import pytest

from operations.redaction import Redactor

PLANTED = [
    "+2250701020304",
    "+225 07 01 02 03 04",
    "002250701020304",
    "2250701020304",
    "07 01 02 03 04 05",
    "(225) 07-01-02-03-04",
    "postgresql://etl:s3cr3t@db.example.com:5432/warehouse",
    "postgresql://etl:p@ss/w0rd@db/warehouse",
    "host=db user=etl password=s3cr3t dbname=x",
    "password='two words'",
    "CAURI_PSEUDONYM_KEY=AAAA",
    "https://hooks.example.com/?token=s3cr3t",
    '{"api_key": "s3cr3t"}',
    "cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA=",
    "awa.kone@example.com",
    "CLI-000123",
    "Key (client_id)=(Kone & Fils) already exists.",
    "Failing row contains (1, Kone, s3cr3t).",
    'COPY incoming_fact, line 3, column amount_minor: "s3cr3t"',
]
SECRETS = (
    "0701020304",
    "07 01 02",
    "07-01-02",
    "s3cr3t",
    "w0rd",
    "two words",
    "AAAA",
    "cHBw",
    "kone",
    "000123",
    "Kone",
)

HARMLESS = [
    "2026-11-25 10:29:42.123456 UTC",
    "2026-11-25T10:29:42Z",
    "leaf fact_transactions_2024_01 of 20240115",
    "sent Totals(rows=1000000, amount_minor=123456789012345)",
    "460e1edc76b28c2258f45d2e2e4b9aae9f5b8b4e4d0b0dd9b5d8e5ad5f4a2a11",
    "1,012,128 rows in 15.6 s",
    "transactions_20240115120000.csv row 12",
    "postgresql://db.example.com:5432/warehouse",
]


@pytest.mark.parametrize("text", PLANTED)
def test_what_identifies_or_opens_is_masked(text: str) -> None:
    told = Redactor().text(f"PostgreSQL refused (23505): {text}")
    assert "***" in told
    assert told.startswith("PostgreSQL refused (23505): ")
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.mark.parametrize("text", HARMLESS)
def test_figures_moments_and_digests_stay(text: str) -> None:
    assert Redactor().text(text) == text


def test_known_secrets_go_wherever_they_stand() -> None:
    assert Redactor(["hunter2"]).text("xhunter2x") == "x***x"


def test_a_pattern_of_ones_own() -> None:
    assert Redactor(pattern=r"ACC\d+").text("ACC12 and ACC34") == "*** and ***"


def test_an_event_is_masked_by_field_and_in_depth() -> None:
    event = {"event": "x", "msisdn": 22507, "rows": 2250701020304, "inner": [{"email": "a"}, "+2250701020304"]}
    assert Redactor()(None, "info", event) == {
        "event": "x",
        "msisdn": "***",
        "rows": 2250701020304,
        "inner": [{"email": "***"}, "***"],
    }
