"""Step 4, restate: facts follow when a stretch of a client's history comes to belong to another version."""

import polars as pl

from engine.history import covers_from
from engine.stale import mark_days
from partitions.coverage import days_by_leaf
from partitions.grain import Span
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.queries import query


def moved_ranges(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Stretches of time in which the facts of a client belong to another version than before.

    Args:
        before: versions of clients: `client_ref`, `client_key`, `valid_from`.
        after: all versions of the same clients, and of others, afterwards.

    Returns:
        `client_ref`, `old_key`, `new_key`, `begins` (inclusive), `ends` (exclusive, null for ever), by client and time.
    """
    old, new = _covering(before), _covering(after.join(before, on="client_ref", how="semi"))
    cuts = pl.concat([old, new]).select("client_ref", "begins").unique().sort("begins")
    for name, versions in (("old_key", old), ("new_key", new)):
        cuts = cuts.join_asof(
            versions.rename({"client_key": name}).sort("begins"), on="begins", by="client_ref", check_sortedness=False
        )
    return (
        cuts.sort("client_ref", "begins")
        .with_columns(ends=pl.col("begins").shift(-1).over("client_ref"))
        .filter(pl.col("old_key") != pl.col("new_key"))
        .select("client_ref", "old_key", "new_key", "begins", "ends")
    )


def _covering(versions: pl.DataFrame) -> pl.DataFrame:
    ordered = versions.sort("client_ref", "valid_from")
    return ordered.select("client_ref", "client_key", begins=covers_from("client_ref"))


def restate(connection: Connection, ranges: pl.DataFrame, run_id: int) -> int:
    """Point the facts of `ranges` (`moved_ranges`) at their new versions, within the caller's transaction.

    Only leaves with such facts are touched. Their cells of the daily summary, the old ones and the new ones, are
    marked for step 8.

    Returns:
        How many facts were pointed at another version.
    """
    if ranges.is_empty():
        return 0
    recorded = ranges.with_columns(run_id=pl.lit(run_id, pl.Int64))
    copy_frame(connection, sql.Identifier("ops", "restated_range"), recorded)
    connection.execute(query("restate/stage"))
    connection.execute(query("restate/cells"), (run_id,))
    connection.execute("ANALYZE restated_cell")
    days = [day for (day,) in connection.execute(query("restate/days")).fetchall()]
    leaves = [(span, within) for span, within in days_by_leaf(connection, days) if span]
    computable = [day for _, within in leaves for day in within]
    connection.execute(query("restate/mark_dirty"), {"run_id": run_id, "days": computable})
    connection.execute(query("restate/move_cells"), (computable,))
    mark_days(connection, set(days) - set(computable), facts=True)
    return sum(_repointed(connection, "restate/repoint", span) for span, _ in leaves)


def restate_restored(connection: Connection, span: Span) -> int:
    """Let the facts of days that came back from an archive follow what happened to history while they were away.

    Within the caller's transaction; the summary of those days must be back, too. Its cells are marked for step 8.

    Returns:
        How many facts were pointed at another version.
    """
    connection.execute(query("restate/stage_stale"))
    connection.execute(query("restate/stale"), _bounds(span))
    connection.execute("ANALYZE stale_fact")
    restated = _repointed(connection, "restate/repoint_stale", span)
    connection.execute(query("restate/mark_stale_dirty"), _bounds(span))
    return restated


def _repointed(connection: Connection, statement: str, span: Span) -> int:
    return connection.execute(query(statement), _bounds(span)).rowcount


def _bounds(span: Span) -> dict[str, int]:
    return {"first": span.first_key, "end": span.end_key}
