"""`cauri rfm assign`, and what the nightly run does of it."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from cli.console import print_json, stdout
from cli.context import Context, open_warehouse
from cli.extra import has_models, models_needed
from cli.options import Json
from cli.rfm_options import AsOf, day_of
from cli.rfm_show import show_segmented
from partitions.apply import today_in
from warehouse.connection import connect
from warehouse.errors import CauriError
from warehouse.queries import query


def assign(
    as_of: AsOf = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            envvar="CAURI_RFM_MODEL",
            help="Model to use; default: the newest that was fitted for the day or an earlier one.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Give the clients of a day their segments by the centroids of a model, without fitting a new one."""
    with models_needed():
        from ml.rfm import segmentation  # noqa: PLC0415 - its packages may be missing, and take a second
    context = open_warehouse()
    today = today_in(context.settings.business_timezone)
    done = segmentation.assign(context.url, day_of(as_of), today, version=model)
    if json:
        print_json(done.to_json())
        return
    show_segmented(done)
    stdout.print("Next: cauri rfm report shows who moved.")


@dataclass(frozen=True)
class MonthDone:
    """What the nightly run did about segments; an error leaves the load as it is, and ends the command."""

    told: dict[str, Any] = field(default_factory=dict)
    error: CauriError | None = None
    line: str = ""

    @property
    def is_nothing(self) -> bool:
        return self.error is None and self.told.get("status") != "done"

    def to_json(self) -> dict[str, Any]:
        """What stands beside the summary of the load."""
        return {"segments": self.told} if self.told else {}


def assign_new_month(context: Context) -> MonthDone:
    """The first night whose data reach a new month gives the clients their segments, if a model has been fitted."""
    if not _has_model(context.url):
        return MonthDone()
    if not has_models():
        line = "Segments: there is a model, but its packages are not installed (the extra ml)."
        return MonthDone({"status": "skipped", "message": "the extra ml is not installed"}, line=line)
    from ml.rfm import segmentation  # noqa: PLC0415

    today = today_in(context.settings.business_timezone)
    try:
        as_of = segmentation.month_to_assign(context.url, today)
        if as_of is None:
            return MonthDone()
        done = segmentation.assign(context.url, as_of, today, command="nightly segments")
    except CauriError as error:
        told = {"status": "error", "error": type(error).__name__, "message": error.message, "remedy": error.remedy}
        return MonthDone(told, error)
    line = f"Segments of {as_of}: {sum(done.counts.values()):,} clients by {done.model.version}, run {done.run_id}."
    return MonthDone(done.to_json(), line=line)


def _has_model(url: str) -> bool:
    with connect(url) as connection:
        return connection.execute(query("segments/any_model")).fetchone() == (True,)
