"""`cauri load`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.afterwards import carried_out
from cli.attention import attended_progress
from cli.console import end_with, stderr
from cli.context import Context, open_warehouse
from cli.load_summary import tell
from cli.nightly_dashboards import refresh_night
from cli.options import Accept, DryRun, Feeds, Json, Quiet
from engine.load import Request
from engine.load import load as load_folder
from warehouse.errors import NothingToDoError

SAMPLE_ROWS = 1_000_000


def load(
    directory: Annotated[
        Path | None, typer.Argument(envvar="CAURI_SOURCE", help="Directory of the feeds; without it a sample is made.")
    ] = None,
    feeds: Feeds = None,
    dry_run: DryRun = False,
    accept: Accept = None,
    refreshes: Annotated[
        bool,
        typer.Option(
            "--refresh/--no-refresh",
            envvar="CAURI_REFRESH",
            help="Then bring the dashboards up to date, as cauri refresh does.",
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load every feed of a directory into the warehouse. Running it twice changes nothing the second time."""
    context = open_warehouse()
    folder = directory or _sample_folder(context)
    accepted = tuple(accept or ())
    request = Request(folder, context.url, context.settings, context.keyring, feeds, dry_run=dry_run, accept=accepted)
    with attended_progress("load", context, quiet=quiet) as attendant:
        summary = load_folder(request, attendant)
        after = carried_out([refresh_night], context, attendant) if refreshes and not dry_run else []
        attendant.finished(summary)
    tell(summary, json=json, after=after)
    error = next((one.error for one in after if one.error), None)
    if error:
        end_with(error, json=json)
    if summary.status == "nothing":
        nothing = NothingToDoError(
            f"the ledger has the content of all {len(summary.skipped_files)} files of {folder} already",
            remedy="cauri status shows what is loaded",
        )
        end_with(nothing, json=json)


def _sample_folder(context: Context) -> Path:
    folder = context.settings.home_path / "sample"
    if not (folder / "truth.json").exists():
        from cli.sample import write_sample  # noqa: PLC0415 - most loads make none
        from sample.plan import SamplePlan  # noqa: PLC0415

        stderr.print("No directory given: a sample will be loaded.")
        write_sample(SamplePlan(rows=SAMPLE_ROWS), folder)
    return folder
