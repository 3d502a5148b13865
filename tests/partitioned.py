"""A partitioned table of payments for tests, filled and counted without the loader."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from partitions.catalog import Leaf, Table, read_catalog
from partitions.grain import Grain, Span
from partitions.leaves import attach, create_aside, index_and_analyse
from partitions.policy import Policy
from tests.loading import rows_of
from warehouse.connection import Connection, connect

PAYMENTS = Policy.model_validate(
    {"schema": "dwh", "table": "payments", "key": "date_key", "unique": [["payment_id"]], "target_mib": 64}
)
# Equal rows may be there twice.
EVENTS = Policy.model_validate({"schema": "dwh", "table": "events", "key": "date_key"})

COLUMNS = "payment_id bigint NOT NULL, date_key integer NOT NULL, client_key integer, amount_minor bigint, note text"

JANUARY, FEBRUARY, MARCH = (Grain.MONTH.span_of(date(2024, month, 1)) for month in (1, 2, 3))


def make_table(connection: Connection, policy: Policy, spans: Iterable[Span] = (), *, rows_a_day: int = 0) -> None:
    """A table with leaves for the spans; each of their days gets so many rows."""
    connection.execute(f"CREATE TABLE {policy.name} ({COLUMNS}) PARTITION BY RANGE (date_key)")
    connection.execute(f"CREATE INDEX ON {policy.name} (date_key, client_key)")
    for span in spans:
        with connection.transaction():
            create_aside(connection, policy, span, "UTC")
            index_and_analyse(connection, policy, span)
        attach(connection, [(policy, span)], "UTC")
        fill(connection, policy.name, span, rows_a_day)


def fill(connection: Connection, table: str, span: Span, rows_a_day: int, client_key: int | None = None) -> None:
    """So many rows for each day of a span, of one client or of fifty; ids are made from day and number."""
    connection.execute(
        f"INSERT INTO {table} SELECT to_char(d, 'YYYYMMDD')::bigint * 1000000 + n, to_char(d, 'YYYYMMDD')::int,"
        " coalesce(%s, n %% 50), n * 7, CASE WHEN n %% 3 = 0 THEN NULL ELSE 'note ' || n END"
        " FROM generate_series(%s::timestamp, %s::timestamp - interval '1 day', '1 day') d, generate_series(1, %s) n",
        (client_key, span.first, span.end, rows_a_day),
    )


def table_of(url: str, policy: Policy) -> Table:
    """The table as the catalog has it now."""
    with connect(url) as connection:
        return read_catalog(connection, [policy], "UTC").tables[policy.name]


def leaves_of(url: str, policy: Policy) -> tuple[Leaf, ...]:
    return table_of(url, policy).leaves


def spans_of(url: str, policy: Policy) -> list[Span | None]:
    return [leaf.span for leaf in leaves_of(url, policy)]


def rows_in(url: str, policy: Policy) -> list[tuple[Any, ...]]:
    """Every row, sorted."""
    return rows_of(url, f"SELECT t::text FROM {policy.name} t ORDER BY 1")


def left_behind(url: str) -> list[str]:
    """What a change of leaves may have forgotten: in staging, triggers, tables in dwh_parts without a parent."""
    return [
        name
        for (name,) in rows_of(
            url,
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
            " UNION ALL SELECT oid::regproc::text FROM pg_proc WHERE pronamespace = 'staging'::regnamespace"
            " UNION ALL SELECT tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE tgname LIKE 'cauri%'"
            " UNION ALL SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'dwh_parts'::regnamespace"
            " AND relkind = 'r' AND NOT relispartition",
        )
    ]


def days(span: Span) -> list[Span]:
    return list(Grain.DAY.spans(span.first, span.end))
