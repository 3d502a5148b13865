"""`cauri quarantine replay`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.attention import attended_progress
from cli.console import end_with, print_json, stdout, table
from cli.context import open_warehouse
from cli.load_summary import reasons_table
from cli.options import DryRun, Json, Quiet
from cli.quarantine_options import Feed, File, Reason, Run, Since, Until, selection_of
from engine.replay import ReplayRequest
from engine.replay import replay as replay_rows
from engine.summary import Summary
from warehouse.errors import ConfigurationError, NothingToDoError


def replay(
    corrected: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="An exported file, corrected; without it, rows as they are.")
    ] = None,
    feed: Feed = None,
    reason: Reason = None,
    file: File = None,
    run: Run = None,
    since: Since = None,
    until: Until = None,
    feeds: Annotated[
        Path | None,
        typer.Option(
            "--feeds", envvar="CAURI_FEEDS", help="Mapping file; default: the mapping with which they were read."
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send refused rows through the load again; what is good now lands, the rest stays with its new reasons."""
    selection = selection_of(feed, reason, file, run, since, until)
    if corrected and not selection.is_all:
        raise ConfigurationError(
            "a corrected file says itself which rows are meant", remedy="leave out either the file or the options"
        )
    context = open_warehouse()
    request = ReplayRequest(
        context.url, context.settings, context.keyring, selection, corrected, feeds, dry_run=dry_run
    )
    with attended_progress("replay", context, quiet=quiet) as attendant:
        summary = replay_rows(request, attendant)
        attendant.finished(summary)
    if json:
        print_json(summary.to_json())
    elif summary.status != "nothing":
        _show(summary)
    _end(summary, json=json)


def _end(summary: Summary, *, json: bool) -> None:
    if summary.status == "nothing":
        remedy = "cauri quarantine list shows what is open"
        end_with(NothingToDoError("no open row of quarantine is chosen", remedy=remedy), json=json)


def _show(summary: Summary) -> None:
    names = ("read", "loaded", "updated", "repeated", "rejected")
    shown = table("Replayed rows by feed", "feed", "replayed", *names[1:4], "refused again", numbers=5)
    for feed, counts in summary.feeds.items():
        shown.add_row(feed, *(f"{counts[name]:,}" for name in names))
    stdout.print(shown)
    if summary.rows.rejected:
        stdout.print(reasons_table("Refused again by reason", summary.feeds))
    landed = summary.rows.read - summary.rows.rejected
    if summary.status == "planned":
        stdout.print(
            f"Dry run: {landed:,} of {summary.rows.read:,} rows pass the checks, and land unless the warehouse has them"
            " otherwise; nothing was written."
        )
        return
    stdout.print(
        f"Resolved {landed:,} of {summary.rows.read:,} rows in {summary.seconds:.1f} s, run {summary.run_id}; "
        f"{summary.rows.rejected:,} stay open: cauri quarantine list says what to do."
    )
