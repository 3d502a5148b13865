"""`cauri partitions apply`."""

from typing import Any

from cli.console import end_with, print_json, stderr, stdout
from cli.context import open_warehouse
from cli.options import Json, Quiet
from cli.partitions_plan import nothing_left, print_remarks
from partitions.actions import Site
from partitions.apply import Applied, apply
from partitions.steps.step import Step
from warehouse.connection import connect, require_writable
from warehouse.lock import single_writer


def apply_command(json: Json = False, quiet: Quiet = False) -> None:
    """Do what plan says, step by step. Safe to run at any time, beside readers, and again after a kill."""
    context = open_warehouse()
    settings = context.settings

    def say(step: Step) -> None:
        if not quiet:
            stderr.print(f"{step.line}", markup=False, soft_wrap=True)

    with single_writer(context.url), connect(context.url, application="cauri partitions") as connection:
        require_writable(connection)
        site = Site(connection, context.url, settings.business_timezone, settings.archive_path)
        applied = apply(site, context.policies, say=say)
    if json and not applied.failures:
        print_json(_document(applied))
    elif not json:
        print_remarks(applied.plan)
    _end(applied, json=json)


def _document(applied: Applied) -> dict[str, Any]:
    return {
        "status": "done" if applied.steps else "nothing",
        "steps": applied.to_json(),
        "problems": [vars(problem) for problem in applied.plan.problems],
        "advice": [vars(advice) for advice in applied.plan.advice],
    }


def _end(applied: Applied, *, json: bool) -> None:
    if applied.error:
        raise applied.error
    if applied.steps:
        if not json:
            stdout.print(f"{len(applied.steps)} step(s) done.")
    else:
        end_with(nothing_left(applied.plan), json=json)
