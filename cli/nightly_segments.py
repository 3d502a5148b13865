"""The end of a nightly run: the first one whose data reach a new month gives the clients their segments."""

from cli.afterwards import NO_EXTRA, Afterwards, attempted, skipped
from cli.context import Context
from cli.extra import has_models
from partitions.apply import today_in
from warehouse.connection import connect
from warehouse.queries import query

NAME = "segments"


def assign_new_month(context: Context) -> Afterwards | None:
    """Give the clients their segments, if a model has been fitted and a month is new."""
    return attempted(NAME, lambda: _assign(context))


def _assign(context: Context) -> Afterwards | None:
    if not _has_model(context.url):
        return None
    if not has_models():
        return skipped(NAME, NO_EXTRA)
    from ml.rfm import segmentation  # noqa: PLC0415

    today = today_in(context.settings.business_timezone)
    as_of = segmentation.month_to_assign(context.url, today)
    if as_of is None:
        return None
    done = segmentation.assign(context.url, as_of, today, command="nightly segments")
    line = f"Segments of {as_of}: {sum(done.counts.values()):,} clients by {done.model.version}, run {done.run_id}."
    return Afterwards(NAME, "done", line, done.to_json())


def _has_model(url: str) -> bool:
    with connect(url) as connection:
        return connection.execute(query("segments/any_model")).fetchone() == (True,)
