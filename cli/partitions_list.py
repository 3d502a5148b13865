"""`cauri partitions list`."""

from dataclasses import asdict
from itertools import pairwise
from typing import Annotated, Any

import typer
from rich.table import Table as RichTable

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.options import Json
from cli.partitions_names import policy_named
from cli.partitions_plan import in_units, print_remarks
from partitions.apply import today_in
from partitions.catalog import Leaf, Table, read_catalog
from partitions.plan import Plan, plan
from partitions.policy import Policy
from warehouse.connection import connect

# Of more leaves than this only the newest are listed, unless one table is asked for.
FEW_LEAVES = 12


def list_command(
    name: Annotated[
        str | None,
        typer.Option(
            "--table", envvar="CAURI_PARTITIONS_TABLE", help="Only this table, with all of its leaves one by one."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show the health of the partitioned tables: leaves, rows, sizes, indexes, statistics, frozen age, problems."""
    context = open_warehouse()
    policies = list(context.policies)
    if name is not None:
        policies = [policy_named(policies, name)]
    timezone = context.settings.business_timezone
    with connect(context.url) as connection:
        catalog = read_catalog(connection, policies, timezone)
    found = plan(policies, catalog, today_in(timezone))
    tables = [(policy, catalog.tables[policy.name]) for policy in policies]
    if json:
        print_json({"tables": [_document(policy, one, found) for policy, one in tables], **_remarks(found, timezone)})
        return
    _print_tables(tables, found)
    for policy, one in tables:
        _print_leaves(policy, one, every=name is not None)
    print_remarks(found)
    if found.steps:
        stdout.print(f"{len(found.steps)} step(s) to do. Next: cauri partitions plan")


def _remarks(found: Plan, timezone: str) -> dict[str, Any]:
    document = found.to_json()
    return {"problems": document["problems"], "advice": document["advice"]}


def _document(policy: Policy, one: Table, found: Plan) -> dict[str, Any]:
    return {
        "table": policy.name,
        "grain": policy.grain,
        "leaves": [{**asdict(leaf), "days": str(leaf.span), "state": _state(leaf)} for leaf in one.leaves],
        "gaps": gaps(one),
        "orphans": [leaf.qualified for leaf in one.orphans],
        "staged": [leaf.qualified for leaf in one.staged],
        "steps": sum(step.policy.name == policy.name for step in found.steps),
    }


def _print_tables(tables: list[tuple[Policy, Table]], found: Plan) -> None:
    shown = _unbroken("Partitioned tables", "table", "leaves", "rows", "size", "to do", numbers=4)
    for policy, one in tables:
        shown.add_row(
            policy.name,
            f"{len(one.leaves):,}" + (f", {gaps(one):,} gaps" if gaps(one) else ""),
            f"{sum(max(leaf.rows, 0) for leaf in one.leaves):,}",
            in_units(sum(leaf.bytes for leaf in one.leaves)),
            f"{sum(step.policy.name == policy.name for step in found.steps):,}",
        )
    stdout.print(shown)


def gaps(one: Table) -> int:
    """How many times days without a leaf lie between two leaves."""
    spans = [leaf.span for leaf in one.leaves if leaf.span]
    return sum(before.end != after.first for before, after in pairwise(spans))


def _unbroken(title: str, *headings: str, numbers: int) -> RichTable:
    """A table whose names and numbers stay on one line each."""
    shown = table(title, *headings, numbers=numbers)
    for column in shown.columns:
        column.no_wrap = True
    return shown


def _print_leaves(policy: Policy, one: Table, *, every: bool) -> None:
    leaves = one.leaves if every else one.leaves[-FEW_LEAVES:]
    if not leaves:
        return
    hidden = len(one.leaves) - len(leaves)
    title = f"{policy.name}" + (f": the newest {FEW_LEAVES} of {len(one.leaves):,} leaves" if hidden else "")
    shown = _unbroken(title, "leaf", "state", "rows", "size", "indexes", "age", numbers=4)
    for leaf in leaves:
        shown.add_row(
            leaf.name,
            _state(leaf),
            f"{leaf.rows:,}" if leaf.rows >= 0 else "?",
            in_units(leaf.bytes),
            f"{sum(index.valid for index in leaf.indexes)}"
            + (f" of {len(leaf.indexes)}" if not all(index.valid for index in leaf.indexes) else ""),
            f"{leaf.frozen_age:,}",
        )
    stdout.print(shown)
    if hidden:
        stdout.print(f"  {hidden:,} older ones: cauri partitions list --table {policy.table}", style="dim")


def _state(leaf: Leaf) -> str:
    states = {
        # Its name does not say them.
        str(leaf.span or leaf.bounds): leaf.span is None or leaf.span.leaf_of(leaf.table) != leaf.name,
        "being detached": leaf.detaching,
        "foreign": not leaf.ordinary,
        "rights on it": bool(leaf.grants),
        "held": leaf.held_until is not None,
        "no statistics": not leaf.analysed,
        "frozen": leaf.all_frozen and leaf.bytes > 0,
    }
    return ", ".join(name for name, so in states.items() if so) or "-"
