"""Steps 6 and 8: the totals of each day, on which the key figures rest, follow the cells of the daily summary."""

from warehouse.connection import Connection, sql
from warehouse.queries import query


def add_up(connection: Connection, leaf: sql.Identifier) -> None:
    """Make the totals of a leaf of the daily summary from all of its cells, in the caller's transaction."""
    connection.execute(query("aggregates/name_totalled_leaf"), (leaf.as_string(),))
    connection.execute(sql.SQL(query("aggregates/total_leaf")).format(leaf=leaf))


def add_up_missing(connection: Connection) -> None:
    """Make the totals of leaves that have none, as those that came back from an archive or have another grain now."""
    with connection.transaction():
        connection.execute(query("aggregates/forget_totals"))
        for leaf in connection.execute(query("aggregates/leaves_without_totals")).fetchall():
            add_up(connection, sql.Identifier(*leaf))


def forget_all(connection: Connection) -> None:
    """Let the next refresh make all totals anew."""
    connection.execute("DELETE FROM ops.totalled_leaf")
