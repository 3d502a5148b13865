"""`cauri partitions adopt`."""

from typing import Annotated

import typer

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.options import Json, TableName
from cli.partitions_names import policy_named
from cli.partitions_phases import DryRun, print_phases, swap_line
from partitions.adopt import adopt_table, phases_of
from warehouse.lock import single_writer


def adopt(
    table_name: TableName,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]", help="Table that becomes a leaf, with its schema; without it, TABLE itself."
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Make a partitioned table of an ordinary one, or a leaf of a table made by hand, while everybody goes on."""
    context = open_warehouse()
    policy, timezone = policy_named(context.policies, table_name), context.settings.business_timezone
    name = source or policy.name
    if dry_run:
        print_phases(phases_of(context.url, policy, name, timezone), json=json)
        return
    with single_writer(context.url):
        done = adopt_table(context.url, policy, name, timezone)
    if json:
        print_json({"status": "done", **done.to_json()})
        return
    stdout.print(f"{done.source} is {done.leaf} of {done.table}", markup=False)
    for swap in done.swaps:
        stdout.print(swap_line(swap), markup=False)
