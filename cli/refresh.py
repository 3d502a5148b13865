"""`cauri refresh`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import polars as pl
import typer

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.options import Json
from engine.aggregates import KEY_FIGURES, analyse, recompute_dirty_cells
from engine.dashboards import Refreshed, refresh_dashboards
from engine.day_totals import forget_all
from engine.stale import mark_all
from engine.verification import Verified, mark_differing, verify
from warehouse.connection import Connection, connect
from warehouse.ledger import close_run, open_run
from warehouse.lock import WriterLock, single_writer

SHOWN = 20
DIFFERENT = 1


def refresh(
    verifies: Annotated[
        bool,
        typer.Option(
            "--verify",
            envvar="CAURI_VERIFY",
            help="Then compute everything once more and compare; exit 1 on differences.",
        ),
    ] = False,
    mends: Annotated[
        bool, typer.Option("--mend", envvar="CAURI_MEND", help="With --verify: recompute what differs.")
    ] = False,
    rebuilds: Annotated[
        bool,
        typer.Option("--rebuild", envvar="CAURI_REBUILD", help="Compute everything that dashboards rest on anew."),
    ] = False,
    json: Json = False,
) -> None:
    """Bring the daily summary and the dashboards up to date: what changed is computed again, and the rest is kept."""
    if mends and not verifies:
        raise typer.BadParameter("it mends what --verify finds", param_hint="--mend")
    context = open_warehouse()
    with single_writer(context.url) as lock, connect(context.url) as connection:
        if rebuilds:
            mark_all(connection)
        done = refresh_dashboards(connection)
        analyse(context.url)
        verified = verify(connection, context.url) if verifies else None
        if verified and mends and not verified.is_equal:
            _mend(connection, lock, verified)
    if json:
        print_json(_done(done) | _document(verified, mended=mends))
    else:
        stdout.print(f"Recomputed {done.recomputed_cells:,} cells. {done.in_words()}")
        if verified:
            _show(verified, mended=mends)
    if verified and not verified.is_equal and not mends:
        raise typer.Exit(DIFFERENT)


def _done(refreshed: Refreshed) -> dict[str, Any]:
    return {"status": "done", **refreshed.to_json(), "refreshed_views": [KEY_FIGURES, *refreshed.views]}


def _mend(connection: Connection, lock: WriterLock, verified: Verified) -> None:
    run_id = open_run(connection, "refresh", "mend", datetime.now(UTC))
    lock.lead(run_id)
    mark_differing(connection, verified, run_id)
    recompute_dirty_cells(connection)
    forget_all(connection)
    mark_all(connection)
    refresh_dashboards(connection)
    close_run(connection, run_id, "done")


def _document(verified: Verified | None, *, mended: bool) -> dict[str, Any]:
    if verified is None:
        return {}
    by_day = _by_day(verified.differing).to_dicts()
    found = {"cells": verified.cells, "differing": verified.differing.height, "days": by_day, "totals": verified.totals}
    found |= {"tables": verified.tables, "views": verified.views}
    return {"verified": {**found, "mended": mended and not verified.is_equal}}


def _by_day(differing: pl.DataFrame) -> pl.DataFrame:
    counts = [(pl.col("how") == how).sum().alias(how) for how in ("missing", "surplus", "unequal")]
    return differing.group_by("date_key").agg(counts).sort("date_key")


def _show(verified: Verified, *, mended: bool) -> None:
    if verified.is_equal:
        stdout.print(
            f"Verified: {verified.cells:,} cells, {len(verified.tables)} tables of dashboards and"
            f" {len(verified.views)} view(s) are what their facts give."
        )
        return
    days = _by_day(verified.differing)
    shown = table(f"{verified.differing.height:,} cells differ", "day", "missing", "surplus", "unequal", numbers=3)
    for row in days.head(SHOWN).iter_rows():
        shown.add_row(*map(str, row))
    stdout.print(shown)
    if verified.totals:
        stdout.print(f"{verified.totals:,} totals of a day and currency differ from its cells")
    if days.height > SHOWN:
        stdout.print(f"... and {days.height - SHOWN:,} more days")
    for found, against in ((verified.tables, "what it is made of"), (verified.views, "its definition")):
        for name, rows in found.items():
            if rows:
                stdout.print(f"dwh.{name}: {rows:,} rows differ from {against}")
    stdout.print("Mended: they were computed again." if mended else "Next: cauri refresh --verify --mend")
