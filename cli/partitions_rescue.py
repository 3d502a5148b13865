"""`cauri partitions rescue`."""

from cli.console import print_json, stderr, stdout
from cli.context import open_warehouse
from cli.options import Json, TableName
from cli.partitions_names import policy_named
from cli.partitions_phases import DryRun, print_phases, swap_line
from partitions.rescue import phases_of, rescue_default
from warehouse.lock import single_writer


def rescue(table_name: TableName, dry_run: DryRun = False, json: Json = False) -> None:
    """Give the rows of a DEFAULT partition leaves of their days, and drop it, while everybody goes on."""
    context = open_warehouse()
    policy, timezone = policy_named(context.policies, table_name), context.settings.business_timezone
    if dry_run:
        print_phases(phases_of(context.url, policy, timezone), json=json)
        return
    with single_writer(context.url):
        done = rescue_default(context.url, policy, timezone)
    for reason, rows in done.homeless.items():
        stderr.print(f"{rows:,} row(s) {reason} stay in the DEFAULT partition", markup=False)
    if json:
        print_json({"status": "done", **done.to_json()})
        return
    for swap in done.swaps:
        stdout.print(swap_line(swap), markup=False)
