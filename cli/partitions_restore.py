"""`cauri partitions restore`."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.console import print_json, stderr, stdout
from cli.context import open_warehouse
from cli.options import Json, TableName
from cli.partitions_names import policy_named
from engine.aggregates import recompute_dirty_cells, refresh_views
from engine.restate import restate_restored
from partitions.policy import FACTS
from partitions.restorable import companion, restorable
from partitions.restore import restore_leaves
from warehouse.connection import connect
from warehouse.lock import single_writer

# How long a restored leaf is held if nobody says.
HELD_DAYS = 30


def restore(
    table_name: TableName,
    leaf: Annotated[str, typer.Argument(metavar="LEAF", help="Name of a leaf, or its days: 2024-01.")],
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            envvar="CAURI_RESTORE_UNTIL",
            help=f"First day on which retention may take it again; default: in {HELD_DAYS} days.",
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option(envvar="CAURI_RESTORE_FILE", help="One archive of the leaf, where there are several.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring an archived leaf back, to the bit, with the leaf of the table that is loaded together with it."""
    context = open_warehouse()
    folder, timezone = context.settings.archive_path, context.settings.business_timezone
    today = datetime.now(ZoneInfo(timezone)).date()
    hold_until: date = until.date() if until else today + timedelta(days=HELD_DAYS)
    policy = policy_named(context.policies, table_name)
    with single_writer(context.url), connect(context.url) as connection:
        wanted = restorable(connection, policy, leaf, folder, file)
        beside, said = companion(connection, context.policies, wanted, folder, timezone)
        restored = [wanted, *([beside] if beside else [])]
        spans = [one.span for one in restored if one.policy.name == FACTS]
        restated = 0

        def follow_history() -> None:
            nonlocal restated
            restated = sum(restate_restored(connection, span) for span in spans)

        restore_leaves(connection, restored, folder, timezone, hold_until, follow_history)
        recompute_dirty_cells(connection)
        refresh_views(connection)
    if said:
        stderr.print(f"  {said}", style="dim", soft_wrap=True)
    leaves = [{"table": one.policy.name, "leaf": one.leaf, "rows": one.contents.rows} for one in restored]
    if json:
        print_json(
            {
                "status": "done",
                "held_until": hold_until.isoformat(),
                "restored": leaves,
                "restated_facts": restated,
                "notes": [said] if said else [],
            }
        )
        return
    for one in restored:
        stdout.print(f"{one.leaf}: restored, {one.contents.rows:,} rows, held until {hold_until}")
    if restated:
        stdout.print(f"Restated: {restated:,} facts point at another version of their client now.")
