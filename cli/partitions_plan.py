"""`cauri partitions plan`."""

from itertools import groupby
from typing import Annotated, Any

import typer

from cli.console import end_with, print_json, stdout
from cli.context import open_warehouse
from cli.options import Json
from partitions.apply import read_plan
from partitions.leaves import LEAF_SCHEMA
from partitions.phases import Phase
from partitions.plan import Plan
from partitions.script import script
from partitions.steps.step import Step
from warehouse.connection import connect
from warehouse.errors import NothingToDoError

KIB = 1024
COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def plan(
    show_sql: Annotated[
        bool,
        typer.Option("--sql", envvar="CAURI_PLAN_SQL", help="Print the SQL of each step, or add it to that of --json."),
    ] = False,
    json: Json = False,
) -> None:
    """Say what apply would do to the leaves of the partitioned tables, under which locks and at what cost."""
    context = open_warehouse()
    timezone = context.settings.business_timezone
    with connect(context.url) as connection:
        found = read_plan(connection, context.policies, timezone)
        scripts = [script(connection, step, timezone) for step in found.steps] if show_sql else None
    if json:
        print_json(_document(found, scripts))
    elif scripts is not None:
        _print_scripts(found, scripts)
    else:
        print_plan(found)
    if not found.steps:
        end_with(nothing_left(found), json=json)


def _document(found: Plan, scripts: list[list[Phase]] | None) -> dict[str, Any]:
    document = {"status": "planned" if found.steps else "nothing", **found.to_json()}
    for step, phases in zip(document["steps"], scripts or (), strict=False):
        step["sql"] = [text for phase in phases for text in phase.script]
    return document


def nothing_left(found: Plan) -> NothingToDoError:
    """What to say of a plan without steps."""
    problems = sum(not problem.note for problem in found.problems)
    if problems:
        return NothingToDoError(f"no step would help: {problems} problem(s) are left to a person")
    return NothingToDoError("the leaves are as the policies want them")


def print_plan(found: Plan) -> None:
    """The plan as a diff, table by table, then what is left to a person."""
    for table, steps in groupby(found.steps, key=lambda step: step.policy.name):
        stdout.print(f"[bold]{table}[/]")
        for lock, alike in groupby(steps, key=_lock):
            for step in alike:
                stdout.print(f"  {step.line}{_cost(step)}", style=COLOURS[step.sign], markup=False)
            stdout.print(f"      lock: {lock}", style="dim", markup=False)
    print_remarks(found)
    if found.steps:
        stdout.print(f"{len(found.steps)} step(s) to do. Next: cauri partitions apply")


def _lock(step: Step) -> str:
    """The lock that steps alike have in common."""
    return step.lock.replace(f"{LEAF_SCHEMA}.{step.subject}", "the leaf")


def print_remarks(found: Plan) -> None:
    """Problems and advice."""
    for problem in found.problems:
        sign = "note" if problem.note else "problem"
        stdout.print(f"{sign}: {problem.table}: {problem.text}\n  -> {problem.remedy}", markup=False)
    for advice in found.advice:
        stdout.print(f"advice: {advice.table}: grain = {advice.grain.value}: {advice.reason}", markup=False)


def _cost(step: Step) -> str:
    # A leaf that was never analysed has an unknown number of rows, not none.
    rows = [f"about {step.cost.rows:,} rows"] if step.cost.rows else []
    size = [in_units(step.cost.bytes)] if step.cost.bytes else []
    return f" ({', '.join([*rows, *size])})" if rows or size else ""


def in_units(size: int) -> str:
    """Bytes in the unit that a person would choose."""
    value, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= KIB and len(units) > 1:
        value, units = value / KIB, units[1:]
    return f"{value:,.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:,.1f} {units[0]}"


def _print_scripts(found: Plan, scripts: list[list[Phase]]) -> None:
    for step, phases in zip(found.steps, scripts, strict=True):
        stdout.print(f"-- {step.line}", markup=False)
        for phase in phases:
            if len(phases) > 1:
                stdout.print(f"-- {phase.what}", markup=False)
            stdout.print(f"-- lock: {phase.lock}", markup=False)
            for text in phase.script:
                stdout.print(ended(text), markup=False)
        stdout.print()


def ended(text: str) -> str:
    """A statement with its end; a comment needs none."""
    return text if text.startswith("--") else f"{text};"
