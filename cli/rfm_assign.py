"""`cauri rfm assign`."""

from typing import Annotated

import typer

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.options import Json, day_of
from cli.rfm_options import AsOf
from cli.rfm_show import show_segmented
from partitions.apply import today_in


def assign(
    as_of: AsOf = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            envvar="CAURI_RFM_MODEL",
            help="Model to use; default: the newest that was fitted for the day or an earlier one.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Give the clients of a day their segments by the centroids of a model, without fitting a new one."""
    with models_needed():
        from ml.rfm import segmentation  # noqa: PLC0415 - its packages may be missing, and take a second
    context = open_warehouse()
    today = today_in(context.settings.business_timezone)
    done = segmentation.assign(context.url, day_of(as_of), today, version=model)
    if json:
        print_json(done.to_json())
        return
    show_segmented(done)
    stdout.print("Next: cauri rfm report shows who moved.")
