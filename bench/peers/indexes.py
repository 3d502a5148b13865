"""The indexes that leaves of the warehouse have, built as an expert would: after the rows, two leaves at a time.

Needs nothing but psycopg, so that scripts with environments of their own can use it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import psycopg
from psycopg import sql

STREAMS = 2
FACTS, SUMMARY = "dwh.fact_transactions", "dwh.fact_daily_client_summary"
INDEXES = (
    "CREATE UNIQUE INDEX ON {} (transaction_id)",
    "CREATE INDEX ON {} (date_key, client_key)",
    "CREATE INDEX ON {} (service_key)",
)
# With a name: PostgreSQL cuts one of so many columns, and two streams then choose the same.
OF_SUMMARY = ("CREATE UNIQUE INDEX {name} ON {} (client_key, date_key, service_key, currency_key)",)
LEAVES = """
SELECT n.nspname, c.relname
FROM pg_partition_tree(%s::regclass)
JOIN pg_class c ON c.oid = relid JOIN pg_namespace n ON n.oid = relnamespace
WHERE isleaf ORDER BY relname
"""


def leaves_of(url: str, table: str = FACTS) -> list[tuple[str, str]]:
    """Schema and name of each leaf of a table."""
    with psycopg.connect(url) as connection:
        return [(schema, name) for schema, name in connection.execute(LEAVES, (table,))]


def build_indexes(url: str, leaves: Sequence[tuple[str, ...]], indexes: Sequence[LiteralString] = INDEXES) -> None:
    """Build all indexes of all leaves in two streams."""
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda leaf: _build(url, leaf, indexes), leaves))


def index_summary(url: str) -> None:
    """The index of each leaf of the daily summary."""
    build_indexes(url, leaves_of(url, SUMMARY), OF_SUMMARY)


def _build(url: str, leaf: tuple[str, ...], indexes: Sequence[LiteralString]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute("SET max_parallel_maintenance_workers = 0")
        for statement in indexes:
            name = sql.Identifier(f"{leaf[-1]}_cell")
            connection.execute(sql.SQL(statement).format(sql.Identifier(*leaf), name=name))
