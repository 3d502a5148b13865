"""What a segmentation did, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.console import stdout, table

if TYPE_CHECKING:
    from ml.rfm.segmentation import Segmented

# Older data make a day of segmentation that is not one of the business.
STALE_DAYS = 31


def show_segmented(done: Segmented) -> None:
    """Counts by segment, the model and how firm it is."""
    document = done.to_json()
    total = document["clients"]
    shown = table(f"Clients by segment, {done.window.since} to before {done.window.as_of}", "", "", "", numbers=2)
    shown.show_header = False
    for one in document["segments"]:
        shown.add_row(f"{one['segment']} {one['name']}", f"{one['clients']:,}", f"{one['clients'] / total:.1%}")
    stdout.print(shown)
    firm = done.quality["bootstrap_ari"]
    stdout.print(f"Model {done.model.version}, run {done.run_id}; bootstrap ARI {firm['mean']:.2f}.")
    late = (done.window.as_of - done.last_day).days
    if late > STALE_DAYS:
        stdout.print(f"The newest transaction is {late:,} days older than {done.window.as_of}: nobody is recent.")
