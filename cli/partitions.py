"""`cauri partitions`: its commands, each in the file of its subject."""

import typer

app = typer.Typer(
    help="The leaves of the partitioned tables: what there is, what is wanted, what to do.", no_args_is_help=True
)


@app.callback()
def partitions() -> None:
    """A group needs a callback as long as it has a single command."""
