"""Step 8, Aggregate: the cells of the daily summary whose facts changed, then the materialized views that rest on it.

The cells of a leaf that was built aside came with it; what is left are those that a merge touched.
"""

import time

from engine.day_totals import add_up_missing
from engine.stale import mark_days
from partitions.coverage import days_by_leaf
from warehouse.connection import Connection, connect, sql
from warehouse.queries import query

KEY_FIGURES = "mv_daily_kpi"


def recompute_dirty_cells(connection: Connection) -> int:
    """Recompute every cell that the ledger names as dirty, and clear it there; return how many."""
    with connection.transaction():
        connection.execute("LOCK TABLE ops.dirty_range IN EXCLUSIVE MODE")
        days = [day for (day,) in connection.execute(query("aggregates/dirty_days")).fetchall()]
        if days:
            _recompute(connection, days)
            mark_days(connection, days, facts=True)
        return connection.execute("DELETE FROM ops.dirty_range").rowcount


def _recompute(connection: Connection, days: list[int]) -> None:
    leaves = days_by_leaf(connection, days)
    connection.execute("ANALYZE ops.dirty_range")
    # By index: a few cells of every day of a leaf look to the planner like the whole leaf, which it reads.
    connection.execute("SET LOCAL enable_hashjoin = off")
    connection.execute("SET LOCAL enable_mergejoin = off")
    connection.execute(query("aggregates/stage_changed_cells"))
    for _, within in leaves:
        connection.execute(query("aggregates/delete_dirty_cells"), {"days": within})
        connection.execute(query("aggregates/insert_dirty_cells"), {"days": within})
    connection.execute(query("aggregates/index_changed_cells"))
    connection.execute("ANALYZE changed_cell")
    for _, within in leaves:
        connection.execute(query("aggregates/add_to_day_totals"), {"days": within})
    connection.execute(query("aggregates/drop_empty_totals"))


def refresh_views(connection: Connection) -> list[str]:
    """Refresh the key figures without stopping their readers; return the names of their views.

    Views of dashboards rest on tables of their own, and follow when those are brought up to date (`dashboards`).
    """
    add_up_missing(connection)
    begun = time.perf_counter()
    connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY dwh.{}").format(sql.Identifier(KEY_FIGURES)))
    seconds = time.perf_counter() - begun
    connection.execute(query("dashboards/record_refresh"), {"view": KEY_FIGURES, "seconds": seconds})
    return [KEY_FIGURES]


def analyse(url: str) -> None:
    """Statistics of the dimensions and of the partitioned tables as a whole, which autovacuum never makes."""
    with connect(url, application="cauri statistics") as connection:
        # From version 18 on, the leaves, which have theirs, need not be sampled again.
        only = sql.SQL("ONLY ") if connection.info.server_version >= 180_000 else sql.SQL("")
        connection.execute("SET default_statistics_target = 20")
        for table in ("fact_transactions", "fact_daily_client_summary"):
            connection.execute(sql.SQL("ANALYZE {}dwh.{}").format(only, sql.Identifier(table)))
        connection.execute(query("aggregates/analyse_dimensions"))
