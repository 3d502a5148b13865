"""Options that several commands share."""

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
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="Partitioned table, with or without its schema.")]
