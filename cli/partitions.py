"""`cauri partitions`: its commands, each in the file of its subject."""

import typer

from cli import partitions_archive, partitions_restore

app = typer.Typer(
    help="The leaves of the partitioned tables: what there is, what is wanted, what to do.", no_args_is_help=True
)


@app.callback()
def partitions() -> None:
    """A group needs a callback as long as it has a single command."""


app.command("archive")(partitions_archive.archive)
app.command("restore")(partitions_restore.restore)
app.command("archives")(partitions_archive.archives)
