"""`cauri nightly`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.afterwards import Afterwards, carried_out
from cli.attention import attended_progress
from cli.console import end_with, stdout
from cli.context import open_warehouse
from cli.load_summary import tell
from cli.nightly_dashboards import refresh_night
from cli.nightly_scores import score_night
from cli.nightly_segments import assign_new_month
from cli.options import Accept, DryRun, Feeds, Json, Quiet
from engine.arrival import Arrival
from engine.load import Request
from engine.load import load as load_folder
from engine.maintenance import Maintenance
from engine.summary import Summary
from warehouse.errors import NothingToDoError

SETTLE_SECONDS = 60

# Dashboards show what those before them wrote.
AFTERWARDS = (score_night, assign_new_month, refresh_night)


def nightly(
    directory: Annotated[Path, typer.Argument(envvar="CAURI_SOURCE", help="Directory into which the feeds are put.")],
    feeds: Feeds = None,
    settle: Annotated[
        float,
        typer.Option(
            min=0, envvar="CAURI_SETTLE", help="Leave files that changed in so many seconds, unless NAME.done is there."
        ),
    ] = SETTLE_SECONDS,
    markers: Annotated[
        bool, typer.Option("--markers", envvar="CAURI_MARKERS", help="Take only files beside which NAME.done stands.")
    ] = False,
    dry_run: DryRun = False,
    accept: Accept = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take what has arrived since the last run, bring everything up to date, and maintain the partitions."""
    context = open_warehouse()
    request = Request(
        directory,
        context.url,
        context.settings,
        context.keyring,
        feeds,
        dry_run=dry_run,
        nightly=True,
        arrival=Arrival(settle, markers),
        accept=tuple(accept or ()),
    )
    with attended_progress("nightly", context, quiet=quiet) as attendant:
        summary = load_folder(request, attendant)
        after = [] if dry_run else carried_out(AFTERWARDS, context, attendant)
        attendant.finished(summary)
    tell(summary, json=json, after=after)
    _end(summary, directory, after, json=json)


def _end(summary: Summary, directory: Path, after: Sequence[Afterwards], *, json: bool) -> None:
    maintained = [summary.maintenance] if summary.maintenance else []
    ends: list[Maintenance | Afterwards] = [*maintained, *after]
    error = next((end.error for end in ends if end.error), None)
    nothing = (
        f"{directory} has no new file: {len(summary.skipped_files)} are in the ledger already,"
        f" {len(summary.unfinished_files)} are still being written"
    )
    if summary.status == "nothing" and error is None:
        if all(end.is_nothing for end in ends):
            error = NothingToDoError(nothing, remedy="cauri status shows what is loaded")
        elif not json:
            stdout.print(nothing, markup=False)
    if error:
        end_with(error, json=json)
