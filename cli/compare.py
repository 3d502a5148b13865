"""`cauri compare`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import StepProgress, print_json, stdout, table
from cli.context import open_warehouse
from cli.options import Feeds, Json, Quiet
from engine.compare import SUMS
from engine.compare import compare as compare_folder
from engine.intake import Doorkeeper
from engine.steps import Stopwatch
from engine.work_folder import work_folder
from warehouse.connection import connect

SHOWN = 40
DIFFERENT = 1


def compare(
    directory: Annotated[Path, typer.Argument(envvar="CAURI_SOURCE", help="Directory of the feeds.")],
    feeds: Feeds = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare counts and sums of a directory with the warehouse, by day, currency and status; exit 1 if they differ."""
    context = open_warehouse()
    with (
        StepProgress(quiet=quiet) as progress,
        connect(context.url) as connection,
        work_folder(context.settings) as folder,
    ):
        keeper = Doorkeeper(connection, context.settings, context.keyring, folder, Stopwatch(progress), progress)
        different = compare_folder(keeper, context.url, directory, feeds)
    if json:
        print_json({"status": "different" if different.height else "equal", "cells": different.to_dicts()})
    elif different.is_empty():
        stdout.print("Equal: the warehouse holds every day of the directory, to the last minor unit.")
    else:
        title = f"{different.height:,} cells differ"
        shown = table(title, "day", "currency", "status", "figure", "files", "warehouse", numbers=2)
        for cell in different.head(SHOWN).iter_rows(named=True):
            for figure in SUMS:
                counted, stored = cell[f"{figure}_source"], cell[f"{figure}_warehouse"]
                if counted != stored:
                    place = (str(cell["date_key"]), cell["currency_code"], cell["status_code"])
                    shown.add_row(*place, figure, f"{counted:,}", f"{stored:,}")
        stdout.print(shown)
    if different.height:
        raise typer.Exit(DIFFERENT)
