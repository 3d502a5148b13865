"""`cauri fraud shadow`."""

from datetime import date
from typing import TYPE_CHECKING

from cli.console import decimals, print_json, stdout, table
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Since, Until
from cli.options import Json, day_after, day_of

if TYPE_CHECKING:
    from ml.fraud.side_by_side import SideBySide


def shadow(since: Since = None, until: Until = None, json: Json = False) -> None:
    """Compare the model that waits to be promoted with the champion, on the transactions that both have scored."""
    with models_needed():
        from ml.fraud.registry import registry_of  # noqa: PLC0415 - its packages may be missing, and take a second
        from ml.fraud.side_by_side import side_by_side  # noqa: PLC0415

        context = open_warehouse()
        found = side_by_side(context.url, registry_of(context.settings), day_of(since), day_after(until))
    if json:
        print_json({"status": "done", **found.to_json()})
    else:
        _show(found)


def _show(found: "SideBySide") -> None:
    last = date.fromordinal(found.days.until.toordinal() - 1)
    stdout.print(f"{found.transactions:,} transactions of {found.days.since} to {last} that both have scored.")
    sides = (found.champion, found.shadow)
    headings = (f"champion {found.champion.model_version}", f"shadow {found.shadow.model_version}")
    shown = table("Side by side", "", *headings, numbers=2)
    shown.add_row("alerts", *(f"{side.alerts:,}" for side in sides))
    shown.add_row("of which blocked", *(f"{side.blocked:,}" for side in sides))
    if found.frauds:
        shown.add_row("average precision", *(decimals(side.average_precision) for side in sides))
        shown.add_row("precision of alerts", *(decimals(side.precision) for side in sides))
        shown.add_row("recall of alerts", *(decimals(side.recall) for side in sides))
        shown.add_row("frauds found", *(f"{side.found:,}" for side in sides))
        shown.add_row("that the other let pass", *(f"{side.found_alone:,}" for side in sides))
    stdout.print(shown)
    stdout.print(
        f"Labels are due of days before {found.labels_until}: of {found.labelled:,} transactions {found.frauds:,} were"
        " fraud."
    )
    bands = table("What the champion said, and the shadow", "champion", *found.bands, numbers=len(found.bands))
    for band, counts in found.bands.items():
        bands.add_row(band, *(f"{count:,}" for count in counts.values()))
    stdout.print(bands)
    stdout.print(f"Next: cauri fraud promote {found.shadow.model_version}, if it is the better one.")
