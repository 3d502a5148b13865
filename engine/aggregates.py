"""Step 8, Aggregate: the cells of the daily summary whose facts changed, then the materialized views that rest on it.

The cells of a leaf that was built aside came with it; what is left are those that a merge touched.
"""

from typing import LiteralString

from warehouse.connection import Connection, connect, sql
from warehouse.queries import query

# Each leaf is then aggregated by itself, several at a time: 2 million cells on two cores take 1.2 s instead of 2.0 s.
# Compiling the plan of so many leaves takes longer than running it.
REFRESH_SETTINGS: tuple[LiteralString, ...] = (
    "SET enable_partitionwise_aggregate = on",
    "SET min_parallel_table_scan_size = 0",
    "SET parallel_setup_cost = 0",
    "SET parallel_tuple_cost = 0",
    "SET max_parallel_workers_per_gather = 2",
    "SET work_mem = '128MB'",
    "SET jit = off",
)


def recompute_dirty_cells(connection: Connection) -> int:
    """Recompute every cell that the ledger names as dirty, and clear it there; return how many."""
    with connection.transaction():
        connection.execute("LOCK TABLE ops.dirty_range IN EXCLUSIVE MODE")
        connection.execute(query("aggregates/delete_dirty_cells"))
        connection.execute(query("aggregates/insert_dirty_cells"))
        return connection.execute("DELETE FROM ops.dirty_range").rowcount


def refresh_views(connection: Connection) -> list[str]:
    """Refresh every materialized view of `dwh` without stopping its readers; return their names."""
    for setting in REFRESH_SETTINGS:
        connection.execute(setting)
    names = [name for (name,) in connection.execute(query("aggregates/materialized_views")).fetchall()]
    for name in names:
        connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY dwh.{}").format(sql.Identifier(name)))
    return names


def analyse(url: str) -> None:
    """Statistics of the dimensions and of the partitioned tables as a whole, which autovacuum never makes."""
    with connect(url, application="cauri statistics") as connection:
        # From version 18 on, the leaves, which have theirs, need not be sampled again.
        only = sql.SQL("ONLY ") if connection.info.server_version >= 180_000 else sql.SQL("")
        connection.execute("SET default_statistics_target = 20")
        for table in ("fact_transactions", "fact_daily_client_summary"):
            connection.execute(sql.SQL("ANALYZE {}dwh.{}").format(only, sql.Identifier(table)))
        connection.execute(query("aggregates/analyse_dimensions"))
