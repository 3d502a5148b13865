"""`cauri fraud train`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.console import decimals, print_json, say_to_stderr, stdout, table
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Precision, Seed
from cli.options import DAY, Json, Quiet, day_of

if TYPE_CHECKING:
    from ml.fraud.train import Trained


def train(
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            envvar="CAURI_FRAUD_AS_OF",
            formats=DAY,
            help="As if it were the beginning of this day; default: the day after the newest transaction.",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, envvar="CAURI_FRAUD_DAYS", help="Days to learn from; default: the newest 2,000,000 rows."),
    ] = None,
    calibration_days: Annotated[
        int, typer.Option(min=1, envvar="CAURI_FRAUD_CALIBRATION_DAYS", help="Days to turn margins into probabilities.")
    ] = 28,
    threshold_days: Annotated[
        int, typer.Option(min=1, envvar="CAURI_FRAUD_THRESHOLD_DAYS", help="Days on which the bands get their limits.")
    ] = 28,
    delay_days: Annotated[
        int, typer.Option(min=0, envvar="CAURI_FRAUD_DELAY_DAYS", help="Days until frauds are reported.")
    ] = 7,
    imbalance: Annotated[
        Literal["none", "weight", "smote"],
        typer.Option(envvar="CAURI_FRAUD_IMBALANCE", help="What is done about frauds being few."),
    ] = "none",
    threshold: Annotated[
        Literal["capacity", "cost", "precision"],
        typer.Option(envvar="CAURI_FRAUD_THRESHOLD", help="What the limit of review follows."),
    ] = "capacity",
    alerts_a_day: Annotated[
        float | None,
        typer.Option(
            min=0,
            envvar="CAURI_FRAUD_ALERTS_A_DAY",
            help="Alerts a day that the team can work; default: 0.5 % of the transactions, 100 at most.",
        ),
    ] = None,
    review_cost: Annotated[
        float, typer.Option(min=0, envvar="CAURI_FRAUD_REVIEW_COST", help="Cost of an alert, in units of the amounts.")
    ] = 5.0,
    precision: Precision = 0.92,
    bags: Annotated[
        int,
        typer.Option(min=1, max=16, envvar="CAURI_FRAUD_BAGS", help="Fits to average: firmer, and as much slower."),
    ] = 1,
    seed: Seed = 0,
    promote: Annotated[
        bool, typer.Option("--promote", envvar="CAURI_FRAUD_PROMOTE", help="Make it champion, whoever is.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model on labelled transactions, give its bands their limits on later ones, and register it."""
    with models_needed():
        from ml.fraud.boosters import BoosterParameters  # noqa: PLC0415 - its packages may be missing
        from ml.fraud.imbalance import Imbalance  # noqa: PLC0415
        from ml.fraud.registry import registry_of  # noqa: PLC0415
        from ml.fraud.thresholds import Policy, Wishes  # noqa: PLC0415
        from ml.fraud.train import Order  # noqa: PLC0415
        from ml.fraud.train import train as train_model  # noqa: PLC0415
        from ml.fraud.windows import Lengths  # noqa: PLC0415

        order = Order(
            day_of(as_of),
            Lengths(days, calibration_days, threshold_days, delay_days),
            Imbalance(imbalance),
            Wishes(Policy(threshold), alerts_a_day, review_cost, precision),
            parameters=BoosterParameters(bags=bags),
            seed=seed,
            promote=promote,
        )
        context = open_warehouse()
        done = train_model(context.url, registry_of(context.settings), order, say_to_stderr(quiet=quiet))
    if json:
        print_json(done.to_json())
    else:
        _show(done)


def _show(done: "Trained") -> None:
    document = done.to_json()
    shown = table("Windows", "window", "since", "before", "transactions", "frauds", numbers=2)
    for name, days in document["windows"].items():
        shown.add_row(name, days["since"], days["until"], f"{days['rows']:,}", f"{days['frauds']:,}")
    stdout.print(shown)
    _show_figures(done)
    limits = {name: "none" if limit is None else f"{limit:.4f}" for name, limit in document["thresholds"].items()}
    stdout.print(f"Limits: review from {limits['review']}, block from {limits['block']}; frozen with the model.")
    if document["thresholds"]["block"] is None:
        stdout.print("No score is high enough to block: the precision asked for was reached nowhere.")
    stdout.print(f"Model {done.version} is {done.stage}.")
    if done.stage == "champion":
        stdout.print("Next: cauri fraud score --all")
    elif done.is_shadow:
        stdout.print("It scores beside the champion from now on: at night, and by cauri fraud score --since DAY.")
        stdout.print(f"Next: cauri fraud shadow compares them; cauri fraud promote {done.version}")
    else:
        stdout.print(f"Next: cauri fraud promote {done.version}")


def _show_figures(done: "Trained") -> None:
    champion = done.champion
    headings = [done.version, f"champion {champion['model_version']}"] if champion else [done.version]
    shown = table("On the threshold window", "", *headings, numbers=len(headings))
    columns = [figures(one) for one in (done.manifest.metrics, *([champion] if champion else []))]
    for name in columns[0]:
        shown.add_row(name, *(column[name] for column in columns))
    stdout.print(shown)


def figures(metrics: dict[str, Any]) -> dict[str, str]:
    """What a person reads of a model, by name."""
    alerts, blocked = metrics["alerts"], metrics["blocked"]
    return {
        "average precision": decimals(metrics["average_precision"]),
        "of a random order": decimals(metrics["prevalence"]),
        "AUC": decimals(metrics["auc"]),
        "alerts a day": f"{alerts['a_day']:,.1f}",
        "precision of alerts": decimals(alerts["precision"]),
        "recall of alerts": decimals(alerts["recall"]),
        "recall by amount": decimals(alerts["value_recall"]),
        "F1 of alerts": decimals(alerts["f1"]),
        "blocked a day": f"{blocked['a_day']:,.1f}",
        "precision of blocked": decimals(blocked["precision"]),
    }
