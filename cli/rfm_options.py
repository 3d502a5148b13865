"""Options that the commands of `cauri rfm` share."""

from datetime import date, datetime
from typing import Annotated

import typer

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        envvar="CAURI_RFM_AS_OF",
        formats=["%Y-%m-%d"],
        help="The twelve months before this day count; default: the first of the month that the data have reached.",
    ),
]


def day_of(moment: datetime | None) -> date | None:
    """The day that was given, if one was."""
    return moment.date() if moment else None
