"""`cauri partitions regrain`."""

from typing import Annotated

import typer

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.options import Json, TableName
from cli.partitions_names import leaf_named, policy_named
from cli.partitions_phases import DryRun, print_phases, swap_line
from partitions.catalog import read_catalog
from partitions.exchanges import exchanges, spans_of_grain
from partitions.grain import Grain
from partitions.regrain import change_grain, phases_of
from warehouse.connection import connect
from warehouse.errors import NothingToDoError
from warehouse.lock import single_writer


def regrain(
    table_name: TableName,
    grain: Annotated[Grain, typer.Option("--grain", envvar="CAURI_REGRAIN_GRAIN", help="What the leaves become.")],
    leaves: Annotated[
        list[str] | None,
        typer.Option(
            "--leaf",
            metavar="LEAF",
            envvar="CAURI_REGRAIN_LEAF",
            help="Only this leaf, by name or days (2024-01); may be repeated.",
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Change the grain of leaves while everybody goes on reading and writing; all leaves unless --leaf names some."""
    context = open_warehouse()
    policy, timezone = policy_named(context.policies, table_name), context.settings.business_timezone
    with connect(context.url) as connection:
        attached = read_catalog(connection, [policy], timezone).tables[policy.name].leaves
        chosen = [leaf_named(connection, policy, name, timezone) for name in leaves] if leaves else list(attached)
    spans = spans_of_grain(chosen, grain, attached)
    if not exchanges(chosen, spans, attached):
        raise NothingToDoError(f"the leaves of {policy.name} are of grain {grain.value} already")
    if dry_run:
        print_phases(phases_of(context.url, policy, chosen, spans, timezone), json=json)
        return
    with single_writer(context.url):
        done = change_grain(context.url, policy, chosen, spans, timezone)
    if json:
        print_json({"status": "done", "swaps": [swap.to_json() for swap in done]})
        return
    for swap in done:
        stdout.print(swap_line(swap), markup=False)
