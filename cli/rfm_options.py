"""Options that the commands of `cauri rfm` share."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import DAY

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        envvar="CAURI_RFM_AS_OF",
        formats=DAY,
        help="The twelve months before this day count; default: the first of the month that the data have reached.",
    ),
]
