"""`cauri rfm report`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json, write_page
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.options import DAY, Json, day_of
from cli.rfm_show import show_report


def report(
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", envvar="CAURI_RFM_AS_OF", formats=DAY, help="Day of segmentation; default: the newest."
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            envvar="CAURI_RFM_SINCE",
            formats=DAY,
            help="Earlier day, from which clients moved; default: the one before.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", envvar="CAURI_RFM_OUT", help="Also write it as one HTML file.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the segments of a day: who is in them, who moved, what they bring, how firm they are, what to do."""
    with models_needed():
        from ml.rfm import page  # noqa: PLC0415 - its packages may be missing, and take a second
        from ml.rfm.report import report as gather  # noqa: PLC0415
    found = gather(open_warehouse().url, day_of(as_of), day_of(since))
    if json:
        print_json(found.to_json())
    else:
        show_report(found)
    if out is not None:
        write_page(out, page.page(found))
