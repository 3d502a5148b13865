"""Options that choose rows of quarantine."""

from datetime import datetime
from typing import Annotated

import typer

from engine.selection import Selection

Feed = Annotated[str | None, typer.Option("--feed", envvar="CAURI_QUARANTINE_FEED", help="Only rows of this feed.")]
Reason = Annotated[
    str | None, typer.Option("--reason", envvar="CAURI_QUARANTINE_REASON", help="Only rows that failed this rule.")
]
File = Annotated[
    str | None,
    typer.Option("--file", envvar="CAURI_QUARANTINE_FILE", help="Only rows of files of this name; * and ? as usual."),
]
Run = Annotated[
    int | None,
    typer.Option("--run", envvar="CAURI_QUARANTINE_RUN", help="Only rows that this run refused, or replayed last."),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", envvar="CAURI_QUARANTINE_SINCE", formats=["%Y-%m-%d"], help="Refused on this day or later."
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until", envvar="CAURI_QUARANTINE_UNTIL", formats=["%Y-%m-%d"], help="Refused on this day or before (UTC)."
    ),
]


def selection_of(
    feed: str | None,
    reason: str | None,
    file: str | None,
    run: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    """The rows that the options choose."""
    return Selection(feed, reason, file, run, since.date() if since else None, until.date() if until else None)
