"""`cauri rfm fit`."""

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.options import Json, day_of
from cli.rfm_options import AsOf
from cli.rfm_show import show_segmented
from partitions.apply import today_in


def fit(as_of: AsOf = None, json: Json = False) -> None:
    """Fit the five segments on the clients of a day, and give each client its own."""
    with models_needed():
        from ml.rfm import segmentation  # noqa: PLC0415 - its packages may be missing, and take a second
    context = open_warehouse()
    today = today_in(context.settings.business_timezone)
    done = segmentation.fit(context.url, context.settings, day_of(as_of), today)
    if json:
        print_json(done.to_json())
        return
    show_segmented(done)
    stdout.print("Next: cauri rfm report. On later days: cauri rfm assign, which the nightly run does once a month.")
