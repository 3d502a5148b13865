"""The indexes that a leaf of the warehouse has, built as an expert would: after the rows, two leaves at a time.

Needs nothing but psycopg, so that scripts with environments of their own can use it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

STREAMS = 2
INDEXES = (
    "CREATE UNIQUE INDEX ON {} (transaction_id)",
    "CREATE INDEX ON {} (date_key, client_key)",
    "CREATE INDEX ON {} (service_key)",
)
LEAVES = """
SELECT n.nspname, c.relname
FROM pg_partition_tree('dwh.fact_transactions')
JOIN pg_class c ON c.oid = relid JOIN pg_namespace n ON n.oid = relnamespace
WHERE isleaf ORDER BY relname
"""


def leaves_of(url: str) -> list[tuple[str, str]]:
    """Schema and name of each leaf of the facts."""
    with psycopg.connect(url) as connection:
        return [(schema, name) for schema, name in connection.execute(LEAVES)]


def build_indexes(url: str, leaves: Sequence[tuple[str, ...]]) -> None:
    """Build all indexes of all leaves in two streams."""
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda leaf: _build(url, leaf), leaves))


def _build(url: str, leaf: tuple[str, ...]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute("SET max_parallel_maintenance_workers = 0")
        for statement in INDEXES:
            connection.execute(sql.SQL(statement).format(sql.Identifier(*leaf)))
