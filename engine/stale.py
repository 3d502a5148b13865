"""Which days, months and segmentations the tables of dashboards have to be computed again for; the rest is kept.

What changes cells or scores marks its days itself (`ops.stale_day`). What else the tables rest on is compared here with
what was seen last: leaves that came or went, clients, places, labels, segmentations.
"""

from collections.abc import Iterable
from datetime import date

from engine.dashboard_tables import renew_cases_of_labels
from warehouse.connection import Connection
from warehouse.queries import query


def mark_days(connection: Connection, days: Iterable[int], *, facts: bool) -> None:
    """Let the next refresh compute days (`date_key`) again, in the caller's transaction.

    `facts`: more than their scores changed.
    """
    connection.execute(query("dashboards/mark_days"), {"days": list(days), "facts": facts})


def mark_changed(connection: Connection) -> None:
    """Mark all that changed since the last time, in one transaction. The caller holds the writer lock."""
    with connection.transaction():
        connection.execute(query("dashboards/stage_changed_clients"))
        connection.execute("ANALYZE changed_client")
        if connection.execute("SELECT EXISTS (SELECT FROM ops.seen_leaf)").fetchone() == (True,):
            _follow_clients_and_labels(connection)
        connection.execute(query("dashboards/mark_days_of_leaves"))
        connection.execute(query("dashboards/mark_new_segmentations"))
        connection.execute(query("dashboards/mark_segmentations_of_clients"))
        connection.execute(query("dashboards/mark_segmentations_of_days"), (segmentations(connection),))
        _remember(connection)


def mark_all(connection: Connection) -> None:
    """Let everything be computed again, whatever is known of it."""
    with connection.transaction():
        connection.execute(query("dashboards/mark_all_days"))
        connection.execute(query("dashboards/mark_all_segmentations"), (segmentations(connection),))
        connection.execute("DELETE FROM ops.view_refresh")


def segmentations(connection: Connection) -> list[date]:
    """Days of segmentation, in order."""
    return [day for (day,) in connection.execute(query("dashboards/segmentations")).fetchall()]


def _follow_clients_and_labels(connection: Connection) -> None:
    connection.execute(query("dashboards/mark_days_of_clients"))
    connection.execute(query("dashboards/mark_days_of_places"))
    connection.execute(query("dashboards/move_active_clients"))
    connection.execute(query("dashboards/drop_empty_months"))
    if renew_cases_of_labels(connection):
        connection.execute(query("dashboards/advance"), (["cases"],))


def _remember(connection: Connection) -> None:
    connection.execute(query("dashboards/forget_seen_leaves"))
    connection.execute(query("dashboards/see_leaves"))
    if connection.execute("SELECT EXISTS (SELECT FROM changed_client)").fetchone() == (True,):
        connection.execute(query("dashboards/forget_seen_clients"))
        connection.execute(query("dashboards/see_clients"))
        connection.execute(query("dashboards/advance"), (["clients"],))
    connection.execute(query("dashboards/see_places"))
    connection.execute(query("dashboards/see_ledger"))
