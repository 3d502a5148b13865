"""`cauri partitions`: its commands, each in the file of its subject."""

import typer

from cli import (
    partitions_adopt,
    partitions_apply,
    partitions_archive,
    partitions_list,
    partitions_plan,
    partitions_regrain,
    partitions_rescue,
    partitions_restore,
)

app = typer.Typer(
    help="The leaves of the partitioned tables: what there is, what is wanted, what to do.", no_args_is_help=True
)


app.command("plan")(partitions_plan.plan)
app.command("apply")(partitions_apply.apply_command)
app.command("list")(partitions_list.list_command)
app.command("archive")(partitions_archive.archive)
app.command("restore")(partitions_restore.restore)
app.command("archives")(partitions_archive.archives)
app.command("regrain")(partitions_regrain.regrain)
app.command("rescue")(partitions_rescue.rescue)
app.command("adopt")(partitions_adopt.adopt)
