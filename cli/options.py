"""Options that several commands share."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", envvar="CAURI_JSON", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", envvar="CAURI_QUIET", help="No progress on stderr.")]
Feeds = Annotated[
    Path | None,
    typer.Option("--feeds", envvar="CAURI_FEEDS", help="Mapping file; default: feeds.toml in the directory."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", envvar="CAURI_DRY_RUN", help="Read, check and plan; write nothing.")]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        envvar="CAURI_ACCEPT",
        help="Publish although this expectation is not met, this once; may be given several times.",
    ),
]
DAY = ["%Y-%m-%d"]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="Partitioned table, with or without its schema.")]


def day_of(moment: datetime | None) -> date | None:
    """The day that was given, if one was."""
    return moment.date() if moment else None


def day_after(moment: datetime | None) -> date | None:
    """The day after the one that was given, if one was."""
    return moment.date() + timedelta(days=1) if moment else None
