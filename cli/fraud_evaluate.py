"""`cauri fraud evaluate`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.console import decimals, print_json, say_to_stderr, stdout, table, write_page
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Precision, Seed
from cli.options import DAY, Json, Quiet, day_after, day_of

# Heading -> measure, and whether its deviation is shown: a terminal has 80 columns.
SHOWN = {
    "AP": ("average_precision", True),
    "AUC": ("auc", False),
    "precision@{k}": ("precision_at", True),
    "recall@1%": ("recall_at_fpr_0.01", False),
}


def evaluate(
    protocol: Annotated[
        Literal["time-forward", "handbook"],
        typer.Option(envvar="CAURI_FRAUD_PROTOCOL", help="How windows of training and test follow each other."),
    ] = "time-forward",
    since: Annotated[
        datetime | None,
        typer.Option("--from", envvar="CAURI_FRAUD_FROM", formats=DAY, help="First day that is tested."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            envvar="CAURI_FRAUD_TO",
            formats=DAY,
            help="Last day that may be tested; default: the last four windows whose labels are known.",
        ),
    ] = None,
    alerts_a_day: Annotated[
        float, typer.Option(min=0, envvar="CAURI_FRAUD_ALERTS_A_DAY", help="Alerts a day that the team can work.")
    ] = 100.0,
    precision: Precision = 0.92,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", envvar="CAURI_FRAUD_REPORT", help="Also write one HTML file with curves and tables."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge models forward in time: trained, and tested on later days as they would have been used."""
    with models_needed():
        from ml.fraud.evaluation import Question, answer  # noqa: PLC0415 - its packages may be missing, and take a second
        from ml.fraud.page import page  # noqa: PLC0415
        from ml.fraud.protocol import PROTOCOLS  # noqa: PLC0415
        from ml.fraud.thresholds import Policy, Wishes  # noqa: PLC0415

        if out:
            # Before minutes of work rather than after them.
            write_page(out, "")
        wishes = Wishes(Policy.CAPACITY, alerts_a_day, precision=precision)
        question = Question(PROTOCOLS[protocol], day_of(since), day_after(until), wishes, seed)
        found = answer(open_warehouse().url, question, say_to_stderr(quiet=quiet))
    if json:
        print_json(found.document)
    else:
        _show(found.document)
    if out:
        write_page(out, page(found.document, found.judgements))


def _show(document: dict[str, Any]) -> None:
    folds, capacity = document["folds"], document["protocol"]["capacity"]
    headings = [name.format(k=capacity) for name in SHOWN]
    shown = table(
        f"Tested from {folds[0]['test']['since']} to before {folds[-1]['test']['until']}, windows: {len(folds)}",
        "model", *headings, numbers=len(headings),
    )  # fmt: skip
    for one in document["contenders"]:
        shown.add_row(one["name"], *(_cell(one, *measure) for measure in SHOWN.values()))
    stdout.print(shown)
    mean = document["contenders"][0]["mean"]
    stdout.print(
        f"Means and ± deviations over the windows. AP: average precision, {mean['prevalence']:.4f} for a random order."
        f" precision@{capacity}: at most {mean['best_precision_at']:.3f}. recall@1%: of the frauds, where one honest"
        " transaction in a hundred is an alert."
    )
    if document["left_out"]:
        since = ", ".join(window["since"] for window in document["left_out"])
        stdout.print(f"Left out, for they or their training have no fraud, or nothing else: windows from {since}.")
    _show_limits(document)


def _show_limits(document: dict[str, Any]) -> None:
    first, sure = document["contenders"][0], document["certainty"]
    floor = f"{sure['precision_floor']:g}"
    if "block_precision" not in first["by_fold"]:
        stdout.print(
            f"No limit for a precision of {floor}: no score of an earlier window reached it, or there was none."
        )
        return
    shown = table(
        f"Limits of {first['name']}, frozen before each window, for a precision of {floor}",
        "tested from", "precision", "95 %", "recall", "95 %", "alerts a day", numbers=5,
    )  # fmt: skip
    for number, fold in enumerate(document["folds"]):
        value = {name: values[number] for name, values in first["by_fold"].items()}
        spans = sure["by_fold"][number]
        shown.add_row(
            fold["test"]["since"],
            decimals(value["block_precision"]), _span(spans.get("block_precision")),
            decimals(value["block_recall"]), _span(spans.get("block_recall")),
            decimals(value["block_alerts_a_day"], 1),
        )  # fmt: skip
    stdout.print(shown)


def _cell(one: dict[str, Any], name: str, has_deviation: bool) -> str:
    mean, deviation = one["mean"][name], one["deviation"][name]
    return f"{mean:.3f} ±{deviation:.3f}" if has_deviation and mean is not None else decimals(mean)


def _span(span: tuple[float, float] | None) -> str:
    return "-" if span is None else f"{span[0]:.3f}-{span[1]:.3f}"
