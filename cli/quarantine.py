"""`cauri quarantine`."""

import json as json_module
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.options import Json
from cli.quarantine_options import Feed, File, Reason, Run, Since, Until, selection_of
from cli.quarantine_replay import replay
from engine.correction import Export
from engine.kept import stored_forms
from engine.remedies import CORRECTING, remedy_of
from engine.selection import ReasonCount, RefusedRow, Selection, count, counts_by_reason, refused_rows
from warehouse.connection import Connection, connect
from warehouse.errors import NothingToDoError

REASONS_NAMED = 8

app = typer.Typer(
    help="Rows that were refused: see them, take them out, send them through again.", no_args_is_help=True
)
app.command("replay")(replay)


@app.command("list")
def list_rows(
    feed: Feed = None,
    reason: Reason = None,
    file: File = None,
    run: Run = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(envvar="CAURI_QUARANTINE_LIMIT", min=1, help="Rows to show.")] = 20,
    values: Annotated[
        bool, typer.Option("--values", help="Show the raw values too: they may identify a person.")
    ] = False,
    json: Json = False,
) -> None:
    """Count the refused rows by feed and reason, say what to do next, and show the first ones with every reason."""
    context, selection = open_warehouse(), selection_of(feed, reason, file, run, since, until)
    with connect(context.url) as connection:
        counts = counts_by_reason(connection, selection)
        number, _ = count(connection, selection)
        rows = list(refused_rows(connection, context.keyring, limit, selection))
        nothing = _nothing(connection, selection)
    if json:
        by_reason = [{**vars(one), "next": remedy_of(one.reason)} for one in counts]
        print_json({"open": number, "by_reason": by_reason, "rows": [_document(row, values=values) for row in rows]})
    elif not counts:
        stdout.print(nothing)
    else:
        _show(counts, number, rows, values=values)


def _document(row: RefusedRow, *, values: bool) -> dict[str, object]:
    names = ("number", "file_name", "feed", "row_number", "reasons", "attempts", "run", "is_corrected")
    return {**{name: getattr(row, name) for name in names}, "values": row.values if values else None}


def _show(counts: Sequence[ReasonCount], number: int, rows: Sequence[RefusedRow], *, values: bool) -> None:
    summary = table("Refused rows by reason", "feed", "reason", "rows", "next")
    for one in counts:
        summary.add_row(one.feed, one.reason, f"{one.rows:,}", remedy_of(one.reason))
    stdout.print(summary)
    for row in rows:
        shown = f"  {json_module.dumps(row.values, ensure_ascii=False)}" if values else ""
        again = f" (replayed {row.attempts} times)" if row.attempts else ""
        stdout.print(f"{row.file_name} row {row.row_number}: {', '.join(row.reasons)}{again}{shown}", markup=False)
    if number > len(rows):
        stdout.print(f"... and {number - len(rows):,} more of {number:,} rows: --limit shows more.")
    stdout.print(f"\n{CORRECTING}.")
    stdout.print("Each of these takes --feed, --reason, --file, --run, --since, --until:")
    stdout.print("  uv run cauri quarantine replay              sends rows through the load again, as they are")
    stdout.print("  uv run cauri quarantine export FOLDER       writes them into files for you to correct")
    stdout.print("And this sends a corrected file back:")
    stdout.print("  uv run cauri quarantine replay FILE")


def _nothing(connection: Connection, selection: Selection) -> str:
    """Why there is nothing."""
    feeds = {one.feed: one.rows for one in counts_by_reason(connection)}
    if not feeds:
        return "Quarantine is empty."
    reasons = [one.reason for one in counts_by_reason(connection, replace(selection, reason=None))]
    hint = f"; with another reason: {', '.join(reasons[:REASONS_NAMED])}" if selection.reason and reasons else ""
    return f"No open row is chosen; there are some of {', '.join(feeds)}{hint}."


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="Folder to write to; or, with the ending .csv, one file.")],
    feed: Feed = None,
    reason: Reason = None,
    file: File = None,
    run: Run = None,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Write refused rows, whole, under the headings of their files, to be corrected; only you can read the result."""
    context, selection = open_warehouse(), selection_of(feed, reason, file, run, since, until)
    with connect(context.url) as connection:
        export_of = Export(out, stored_forms(connection))
        written = export_of.write(refused_rows(connection, context.keyring, None, selection))
        nothing = _nothing(connection, selection)
    if not written:
        raise NothingToDoError(nothing.removesuffix("."), remedy="cauri quarantine list shows what is open")
    if json:
        print_json({"rows": sum(written.values()), "files": {str(path): rows for path, rows in written.items()}})
        return
    for path, rows in written.items():
        stdout.print(f"Wrote {rows:,} refused rows to {path}.", markup=False)
    stdout.print("They hold raw values, which may identify persons; the files can be read by you alone (mode 0600).")
    stdout.print("Correct them, leave the columns that begin with cauri_, and: cauri quarantine replay FILE")
