"""`cauri fraud score`."""

from datetime import date
from typing import Annotated

import typer

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Model, Since, Until
from cli.options import Json, day_after, day_of


def score(
    since: Since = None,
    until: Until = None,
    all_days: Annotated[bool, typer.Option("--all", envvar="CAURI_FRAUD_ALL", help="Every transaction.")] = False,
    model: Model = None,
    json: Json = False,
) -> None:
    """Write scores into ml.fraud_score: of what was loaded since the last time, or of the days that you give."""
    chosen = since is not None or until is not None
    if all_days and chosen:
        raise typer.BadParameter("it is every day: leave --since and --until out", param_hint="--all")
    if model is not None and not (all_days or chosen):
        raise typer.BadParameter("say which days: --since, --until or --all", param_hint="--model")
    with models_needed():
        from ml.fraud.registry import registry_of  # noqa: PLC0415 - its packages may be missing, and take a second
        from ml.fraud.score import Site, score_days, score_new  # noqa: PLC0415
        from ml.fraud.windows import Days  # noqa: PLC0415

        context = open_warehouse()
        site = Site(context.url, context.settings, registry_of(context.settings))
        if chosen:
            days = Days(day_of(since) or date.min, day_after(until) or date.max)
            done = score_days(site, days, model)
        else:
            done = score_days(site, None, model) if all_days else score_new(site)
    if json:
        print_json({"status": "done", **done.to_json()})
    else:
        stdout.print(done.in_words())
        stdout.print("Next: cauri fraud explain TRANSACTION_ID says why one is suspicious.")
