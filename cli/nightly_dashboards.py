"""The end of a nightly run, and of a load that is told so: dashboards show what was written."""

from cli.afterwards import DASHBOARDS, Afterwards, attempted, skipped
from cli.context import Context
from engine.dashboards import refresh_dashboards
from warehouse.connection import connect
from warehouse.lock import single_writer


def refresh_night(context: Context) -> Afterwards | None:
    """Bring the dashboards up to date."""
    return attempted(DASHBOARDS, lambda: _refresh(context))


def _refresh(context: Context) -> Afterwards:
    with single_writer(context.url), connect(context.url, application="cauri dashboards") as connection:
        done = refresh_dashboards(connection)
    if done.is_nothing:
        return skipped(DASHBOARDS, "up to date already")
    return Afterwards(DASHBOARDS, "done", done.in_words(), done.to_json())
