"""Options that the commands of `cauri fraud` share."""

from datetime import date, datetime, timedelta
from typing import Annotated

import typer

DAY = ["%Y-%m-%d"]

Since = Annotated[
    datetime | None,
    typer.Option("--since", envvar="CAURI_FRAUD_SINCE", formats=DAY, help="Transactions of this day or later."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", envvar="CAURI_FRAUD_UNTIL", formats=DAY, help="Transactions of this day or before."),
]
Model = Annotated[
    str | None,
    typer.Option("--model", envvar="CAURI_FRAUD_MODEL", help="Version of the model; default: the champion."),
]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="As `cauri fraud models` lists it.")]


def day_of(moment: datetime | None) -> date | None:
    """The day that was given, if one was."""
    return moment.date() if moment else None


def day_after(moment: datetime | None) -> date | None:
    """The day after the one that was given, if one was."""
    return moment.date() + timedelta(days=1) if moment else None
