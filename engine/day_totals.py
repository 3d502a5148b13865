"""Steps 6 and 8: the totals of each day, on which the key figures rest, follow the cells of the daily summary."""

import polars as pl

from warehouse.connection import Connection, sql
from warehouse.queries import query


def clients_by_day(cells: pl.DataFrame) -> pl.DataFrame:
    """Clients of each day and currency of some cells (`active_clients`), and what they were counted of.

    That is the number of cells (`cells`) and the sum of their durable keys (`client_sum`).
    """
    client = pl.col("client_durable_key")
    return cells.group_by("date_key", "currency_key").agg(
        cells=pl.len(), client_sum=client.cast(pl.Int64).sum(), active_clients=client.n_unique()
    )


def add_up_new(connection: Connection, leaf: sql.Identifier, clients: pl.DataFrame) -> tuple[int, int, int, int]:
    """Make the totals of a new leaf, whose `clients` were counted by `clients_by_day`, in the caller's transaction.

    To count them takes PostgreSQL longer than all else that it adds up.

    Returns:
        Totals that were written, one for each of `clients` whose cells the leaf holds; its cells, their transactions,
        their amount.
    """
    connection.execute(query("aggregates/name_totalled_leaf"), (leaf.as_string(),))
    counted = {**clients.to_dict(as_series=False), "leaf": leaf.as_string()}
    found = connection.execute(sql.SQL(query("aggregates/total_new_leaf")).format(leaf=leaf), counted).fetchone()
    days, cells, transactions, amount = found or (0, 0, 0, 0)
    return days, int(cells or 0), int(transactions or 0), int(amount or 0)


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
