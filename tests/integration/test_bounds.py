"""Days as the bounds of leaves: what PostgreSQL stores for them is read back as the same days, in every zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from partitions.bounds import check_clause, check_name, partition_clause, span_of_bounds, span_of_check
from partitions.grain import Grain, Span
from partitions.policy import KeyKind, Policy
from warehouse.connection import connect, sql

# Clocks change at midnight in Beirut, Cairo and Havana, twice around Ramadan in Casablanca; Apia skipped a day in 2011.
ZONES = [
    "UTC",
    "Africa/Abidjan",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Europe/Paris",
    "Asia/Beirut",
    "America/Havana",
    "Pacific/Apia",
]
TYPES = {KeyKind.DATE_KEY: "integer", KeyKind.DATE: "date", KeyKind.MOMENT: "timestamptz"}


def policy(kind: KeyKind = KeyKind.MOMENT, **words: Any) -> Policy:
    return Policy.model_validate({"schema": "dwh", "table": "events", "key": "moment", "key_kind": kind, **words})


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("session", ["UTC", "America/Havana"])
def test_bounds_read_back_as_they_were_written(database_url: str, kind: KeyKind, zone: str, session: str) -> None:
    spans = [
        *Grain.DAY.spans(date(2024, 3, 25), date(2024, 4, 30)),  # the clocks of all of these zones change here
        *Grain.MONTH.spans(date(2024, 5, 1), date(2025, 4, 1)),
        *Grain.WEEK.spans(date(2025, 6, 30), date(2025, 12, 1)),
        Span(date(2026, 1, 2), date(2026, 1, 5)),
    ]
    wanted = policy(kind, timezone=zone)
    with connect(database_url) as connection:
        connection.execute(f"CREATE TABLE dwh.events (moment {TYPES[kind]} NOT NULL) PARTITION BY RANGE (moment)")
        connection.execute(sql.SQL("SET timezone = {}").format(sql.Literal(session)))
        with connection.transaction():
            for span in spans:
                leaf = sql.Identifier("dwh_parts", span.leaf_of("events"))
                check = sql.Identifier(check_name(span.leaf_of("events")))
                parts = {
                    "leaf": leaf,
                    "check": check,
                    "clause": check_clause(wanted, span, "UTC"),
                    "bounds": partition_clause(wanted, span, "UTC"),
                }
                connection.execute(
                    sql.SQL("CREATE TABLE {leaf} (LIKE dwh.events, CONSTRAINT {check} {clause})").format(**parts)
                )
                connection.execute(sql.SQL("ALTER TABLE dwh.events ATTACH PARTITION {leaf} {bounds}").format(**parts))
        stored = connection.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_constraintdef(k.oid)"
            " FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' WHERE relispartition"
        ).fetchall()
    read = {name: (span_of_bounds(wanted, bounds, "UTC"), span_of_check(wanted, check, "UTC"))
            for name, bounds, check in stored}  # fmt: skip
    assert read == {span.leaf_of("events"): (span, span) for span in spans}


@pytest.mark.parametrize("zone", ZONES)
def test_a_moment_stands_in_the_leaf_of_its_local_day(database_url: str, zone: str) -> None:
    wanted = policy(timezone=zone)
    moment = datetime(2024, 3, 28, tzinfo=UTC)
    with connect(database_url) as connection:
        while moment < datetime(2024, 4, 28, tzinfo=UTC):
            day = moment.astimezone(ZoneInfo(zone)).date()
            clause = check_clause(wanted, Grain.DAY.span_of(day), "UTC").as_string()
            inside = clause.removeprefix("CHECK ").replace('"moment"', f"timestamptz '{moment}'")
            assert connection.execute(f"SELECT {inside}").fetchone() == (True,), moment
            moment += timedelta(minutes=30)


def test_the_business_zone_counts_where_the_policy_has_none(database_url: str) -> None:
    april = Grain.MONTH.span_of(date(2024, 4, 1))
    with connect(database_url) as connection:
        printed = partition_clause(policy(), april, "Africa/Casablanca").as_string(connection)
    assert "2024-03-31 23:00" not in printed  # Ramadan: clocks stand at UTC
    assert "2024-04-01 00:00:00+00:00" in printed
    assert "2024-04-30 23:00:00+00:00" in printed


def test_a_day_that_was_skipped_has_no_leaf() -> None:
    bounds = "FOR VALUES FROM ('2011-12-30 10:00:00+00') TO ('2011-12-30 10:00:00+00')"
    assert span_of_bounds(policy(timezone="Pacific/Apia"), bounds, "UTC") is None


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        (KeyKind.DATE_KEY, "DEFAULT"),
        (KeyKind.DATE_KEY, "FOR VALUES FROM (MINVALUE) TO (20240101)"),
        (KeyKind.DATE_KEY, "FOR VALUES FROM (20240101) TO (MAXVALUE)"),
        (KeyKind.DATE_KEY, "FOR VALUES FROM (20240101) TO (20240132)"),
        (KeyKind.DATE_KEY, "FOR VALUES FROM (20240101, 5) TO (20240201, 5)"),
        (KeyKind.DATE_KEY, "FOR VALUES IN (20240101)"),
        (KeyKind.DATE_KEY, "FOR VALUES WITH (modulus 4, remainder 0)"),
        (KeyKind.DATE, "FOR VALUES FROM ('0044-03-15 BC') TO ('2024-02-01')"),
        (KeyKind.DATE, "FOR VALUES FROM ('2024-01-01') TO ('infinity')"),
        (KeyKind.DATE, "FOR VALUES FROM ('2024-01-01') TO ('12024-01-01')"),
        (KeyKind.MOMENT, "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 01:00:00+00')"),
        (KeyKind.MOMENT, "FOR VALUES FROM ('2024-01-01 00:00:00.5+00') TO ('2024-02-01 00:00:00+00')"),
        (KeyKind.MOMENT, "FOR VALUES FROM ('2024-01-01 00:00:00') TO ('2024-02-01 00:00:00')"),
        (KeyKind.MOMENT, "FOR VALUES FROM ('-infinity') TO ('2024-02-01 00:00:00+00')"),
    ],
)
def test_bounds_made_by_hand_are_no_days(kind: KeyKind, bounds: str) -> None:
    assert span_of_bounds(policy(kind), bounds, "UTC") is None


@pytest.mark.parametrize(
    "check",
    [
        "CHECK ((moment >= 20240101))",
        "CHECK (((other >= 20240101) AND (other < 20240201)))",
        "CHECK (((moment >= 20240101) OR (moment < 20240201)))",
        "CHECK (((moment > 20240101) AND (moment < 20240201)))",
    ],
)
def test_other_checks_are_no_days(check: str) -> None:
    assert span_of_check(policy(KeyKind.DATE_KEY), check, "UTC") is None


def test_a_name_of_a_check_fits_where_that_of_the_leaf_does() -> None:
    assert check_name("fact_transactions_2024_01") == "fact_transactions_2024_01_bounds"
    assert len(check_name("x" * 63)) == 63
