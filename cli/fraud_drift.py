"""`cauri fraud drift`."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Model, Since, Until
from cli.options import Json, day_after, day_of
from warehouse.errors import DataRefusedError

if TYPE_CHECKING:
    from ml.fraud.drift import DriftReport

SHOWN = 12


def drift(
    since: Since = None,
    until: Until = None,
    model: Model = None,
    every: Annotated[bool, typer.Option("--every", envvar="CAURI_FRAUD_EVERY", help="Show stable ones, too.")] = False,
    json: Json = False,
) -> None:
    """Compare transactions with those that the model learned from; exits 3 if a new model is wanted.

    Without --since: the newest seven days.
    """
    with models_needed():
        from ml.fraud.drifting import drift_of_days  # noqa: PLC0415 - its packages may be missing, and take a second
        from ml.fraud.registry import registry_of  # noqa: PLC0415

        context = open_warehouse()
        registered = registry_of(context.settings).load(model)
        days, report = drift_of_days(context.url, registered, day_of(since), day_after(until))
    if json:
        print_json(
            {
                "status": "retrain" if report.retrain else "done",
                "reason": report.retrain,
                "model_version": registered.version,
                **days.to_json(),
                **report.to_json(),
            }
        )
    else:
        last = date.fromordinal(days.until.toordinal() - 1)
        stdout.print(
            f"{report.rows:,} transactions of {days.since} to {last} beside those of model {registered.version}."
        )
        _show(report, every=every)
    if report.retrain:
        raise typer.Exit(DataRefusedError.exit_code)


def _show(report: "DriftReport", *, every: bool) -> None:
    columns = [one for one in report.columns if every or one.state != "stable" or one.name == "fraud_score"]
    shown = table("Population stability index", "column", "family", "drift", "PSI", "by chance", numbers=2)
    for one in columns if every else columns[:SHOWN]:
        shown.add_row(one.name, one.family, one.state, f"{one.psi:.3f}", f"{one.floor:.3f}")
    stdout.print(shown)
    hidden = len(report.columns) - (len(columns) if every else min(len(columns), SHOWN))
    if hidden:
        stdout.print(f"{hidden} more columns: --every", style="dim")
    if report.retrain:
        stdout.print(f"A new model is wanted: {report.retrain}. Next: cauri fraud train")
    else:
        stdout.print("No new model is wanted.")
