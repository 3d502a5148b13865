"""`cauri refresh`."""

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.options import Json
from engine.aggregates import analyse, recompute_dirty_cells, refresh_views
from warehouse.connection import connect
from warehouse.lock import single_writer


def refresh(json: Json = False) -> None:
    """Recompute what is marked dirty in the daily summary, and refresh the materialized views."""
    context = open_warehouse()
    with single_writer(context.url), connect(context.url) as connection:
        cells = recompute_dirty_cells(connection)
        analyse(context.url)
        views = refresh_views(connection)
    if json:
        print_json({"status": "done", "recomputed_cells": cells, "refreshed_views": views})
    else:
        stdout.print(f"Recomputed {cells:,} cells; refreshed {', '.join(views)}.")
