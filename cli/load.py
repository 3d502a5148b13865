"""`cauri load`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.attention import attended_progress
from cli.console import print_json, stderr, stdout, table
from cli.context import Context, open_warehouse
from cli.options import Feeds, Json, Quiet
from cli.sample import write_sample
from engine.load import Request
from engine.load import load as load_folder
from engine.summary import Summary
from sample.plan import SamplePlan
from warehouse.errors import NothingToDoError

SAMPLE_ROWS = 1_000_000
MIB = 1024 * 1024

# Of each feed; quarantine lists them all.
REASONS_SHOWN = 8


def load(
    directory: Annotated[
        Path | None, typer.Argument(envvar="CAURI_SOURCE", help="Directory of the feeds; without it a sample is made.")
    ] = None,
    feeds: Feeds = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", envvar="CAURI_DRY_RUN", help="Read, check and plan; write nothing.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load every feed of a directory into the warehouse. Running it twice changes nothing the second time."""
    context = open_warehouse()
    folder = directory or _sample_folder(context)
    with attended_progress("load", context, quiet=quiet) as attendant:
        summary = load_folder(
            Request(folder, context.url, context.settings, context.keyring, feeds, dry_run=dry_run), attendant
        )
        attendant.finished(summary)
    if json:
        print_json(summary.to_json())
    else:
        show(summary)
    if summary.status == "nothing" and json:
        raise typer.Exit(NothingToDoError.exit_code)
    if summary.status == "nothing":
        raise NothingToDoError(
            f"the ledger has the content of all {len(summary.skipped_files)} files of {folder} already",
            remedy="cauri status shows what is loaded",
        )


def _sample_folder(context: Context) -> Path:
    folder = context.settings.home_path / "sample"
    if not (folder / "truth.json").exists():
        stderr.print("No directory given: a sample will be loaded.")
        write_sample(SamplePlan(rows=SAMPLE_ROWS), folder)
    return folder


def show(summary: Summary) -> None:
    """Print what a load did."""
    document = summary.to_json()
    if document["status"] == "nothing":
        return
    stdout.print(_feeds_table(document["feeds"]))
    if document["rejected_by_reason"]:
        stdout.print(_reasons_table(document["feeds"]))
    _leaves_line(document["leaves"])
    if document["status"] == "planned":
        stdout.print("Dry run: nothing was written.")
        return
    stdout.print(
        f"{document['rows']['read']:,} rows in {document['seconds']:.1f} s: {document['rows_per_second']:,} rows/s, "
        f"peak memory {document['peak_rss_bytes'] / MIB:,.0f} MiB, run {document['run_id']}"
    )
    stdout.print(
        f"Created: {summary.new_beneficiaries:,} beneficiaries, {summary.inferred_clients:,} inferred clients."
    )
    if summary.restated_facts:
        stdout.print(f"Restated: {summary.restated_facts:,} facts point at another version of their client now.")
    stdout.print("\nWhere to look next:")
    stdout.print("  uv run cauri status                 what the warehouse holds")
    stdout.print("  uv run cauri quarantine list        the rejected rows, whole, with their reasons")
    stdout.print("  uv run cauri db psql                then: SELECT * FROM dwh.mv_daily_kpi ORDER BY 1 DESC LIMIT 9;")


def _feeds_table(feeds: dict[str, Any]) -> Table:
    names = ("read", "loaded", "updated", "repeated", "rejected")
    shown = table("Rows by feed", "feed", *names, numbers=len(names))
    for feed, counts in feeds.items():
        shown.add_row(feed, *(f"{counts[name]:,}" for name in names))
    return shown


def _reasons_table(feeds: dict[str, Any]) -> Table:
    shown = table("Rejected rows by reason", "feed", "reason", "rows", numbers=1)
    for feed, counts in feeds.items():
        reasons = list(counts["rejected_by_reason"].items())
        for reason, rows in reasons[:REASONS_SHOWN]:
            shown.add_row(feed, reason, f"{rows:,}")
        if reasons[REASONS_SHOWN:]:
            rest = sum(rows for _, rows in reasons[REASONS_SHOWN:])
            shown.add_row(feed, f"... {len(reasons) - REASONS_SHOWN} more reasons", f"{rest:,}")
    return shown


def _leaves_line(leaves: list[dict[str, Any]]) -> None:
    if not leaves:
        return
    by_action: dict[str, list[str]] = {}
    for leaf in leaves:
        by_action.setdefault(leaf["action"], []).append(leaf["leaf"])
    words = {"build": "built new", "merge": "merged into", "done": "built by an earlier run"}
    for action, names in by_action.items():
        stdout.print(f"Leaves {words[action]}: {len(names)} ({names[0]} to {names[-1]})")
