"""`cauri quarantine`."""

import csv
import json as json_module
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.options import Json
from engine.quarantine import counts_by_reason, refused_rows
from warehouse.connection import connect

app = typer.Typer(help="Rows that were refused: see them, take them out.", no_args_is_help=True)


@app.command("list")
def list_rows(
    limit: Annotated[int, typer.Option(envvar="CAURI_QUARANTINE_LIMIT", min=1, help="Rows to show.")] = 20,
    values: Annotated[
        bool, typer.Option("--values", help="Show the raw values too: they may identify a person.")
    ] = False,
    json: Json = False,
) -> None:
    """Count the refused rows by reason and show the first ones with file, row number and every reason."""
    context = open_warehouse()
    with connect(context.url) as connection:
        counts = counts_by_reason(connection)
        rows = list(refused_rows(connection, context.keyring, limit))
    if json:
        listed = [{**vars(row), "values": row.values if values else None} for row in rows]
        print_json(
            {
                "by_reason": [dict(zip(("feed", "reason", "rows"), count, strict=True)) for count in counts],
                "rows": listed,
            }
        )
        return
    if not counts:
        stdout.print("Quarantine is empty.")
        return
    summary = table("Refused rows by reason", "feed", "reason", "rows", numbers=1)
    for feed, reason, number in counts:
        summary.add_row(feed, reason, f"{number:,}")
    stdout.print(summary)
    for row in rows:
        shown = f"  {json_module.dumps(row.values, ensure_ascii=False)}" if values else ""
        stdout.print(f"{row.file_name} row {row.row_number}: {', '.join(row.reasons)}{shown}", markup=False)


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="CSV file to write.")],
) -> None:
    """Write all refused rows, whole, to a CSV file that only you can read."""
    context = open_warehouse()
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # also if the file was there, readable by others
    number = 0
    with connect(context.url) as connection, os.fdopen(descriptor, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "feed", "row_number", "reasons", "values"])
        for row in refused_rows(connection, context.keyring, None):
            values = json_module.dumps(row.values, ensure_ascii=False)
            writer.writerow([row.file_name, row.feed, row.row_number, " ".join(row.reasons), values])
            number += 1
    stdout.print(f"Wrote {number:,} refused rows to {out}.")
