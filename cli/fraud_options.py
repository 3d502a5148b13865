"""Options that the commands of `cauri fraud` share."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import DAY

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

Seed = Annotated[int, typer.Option(envvar="CAURI_FRAUD_SEED", help="Of the trees' samples.")]
Precision = Annotated[
    float,
    typer.Option(min=0, max=1, envvar="CAURI_FRAUD_PRECISION", help="Least share of frauds among what is blocked."),
]
