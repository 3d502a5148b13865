"""Segmenting the clients of a day: with a model fitted on them, or with one that is kept."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ml.rfm.history import Kept, Segmentation, days, model_days, model_for, store
from ml.rfm.model import Model, fit_model
from ml.rfm.prototypes import segments
from ml.rfm.rates import read_rates
from ml.rfm.stability import quality
from ml.rfm.values import read_values
from ml.rfm.window import Window, data_days, window_of
from warehouse.connection import Connection, connect
from warehouse.errors import DataRefusedError, NothingToDoError
from warehouse.lock import WriterLock, single_writer
from warehouse.settings import Settings


@dataclass(frozen=True)
class Segmented:
    """What was written: `counts` are clients by segment; `last_day` is that of the newest transaction."""

    run_id: int
    window: Window
    model: Model
    quality: dict[str, Any]
    counts: dict[int, int]
    last_day: date

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "status": "done",
            "run_id": self.run_id,
            "as_of": str(self.window.as_of),
            "since": str(self.window.since),
            "model": self.model.version,
            "clients": sum(self.counts.values()),
            "segments": [
                {"segment": one.number, "name": one.name, "clients": self.counts[one.number]} for one in segments()
            ],
            "quality": self.quality,
        }


def fit(url: str, settings: Settings, as_of: date | None, today: date) -> Segmented:
    """Fit a model on the clients of a day, and write both.

    Raises:
        NothingToDoError: the same model has given the same segments to that day before.
        DataRefusedError: no transaction, too few clients, a currency without a rate, or no order in the clusters.
        ConfigurationError: the day cannot be had; the file of rates cannot be used.
    """
    rates = read_rates(settings.rates)
    with single_writer(url) as lock, connect(url, application="cauri segments") as connection:
        first, last = data_days(connection)
        window = window_of(as_of, first, last, today)
        values = read_values(url, window, rates)
        model = fit_model(values, rates)
        kept = Kept(model, quality(values, model))
        made = Segmentation("rfm fit", window.as_of, model.segmented(values.clients), kept, is_fit=True)
        return _stored(url, connection, lock, made, last)


def assign(
    url: str, as_of: date | None, today: date, *, version: str | None = None, command: str = "rfm assign"
) -> Segmented:
    """Give the clients of a day their segments by the centroids of a model that is kept, and write them.

    Raises:
        NothingToDoError: that day has these segments.
        DataRefusedError: there is no transaction, or a currency of which the model has no rate.
        ConfigurationError: the day cannot be had, or there is no model for it.
        TargetError: the model was changed.
    """
    with single_writer(url) as lock, connect(url, application="cauri segments") as connection:
        first, last = data_days(connection)
        window = window_of(as_of, first, last, today)
        kept = model_for(connection, window.as_of, version)
        values = read_values(url, window, kept.model.rates)
        made = Segmentation(command, window.as_of, kept.model.segmented(values.clients), kept, is_fit=False)
        return _stored(url, connection, lock, made, last)


def month_to_assign(url: str, today: date) -> date | None:
    """The first of the month that the data have reached, if there is a model for it and it has no segments yet."""
    with connect(url, application="cauri segments") as connection:
        known = model_days(connection)
        if not known:
            return None
        try:
            as_of = window_of(None, *data_days(connection), today).as_of
        except DataRefusedError:
            return None
        is_new = as_of.day == 1 and as_of not in days(connection)
        return as_of if is_new and min(known) <= as_of else None


def _stored(url: str, connection: Connection, lock: WriterLock, made: Segmentation, last: date) -> Segmented:
    run_id = store(url, connection, lock, made)
    model = made.kept.model
    if run_id is None:
        raise NothingToDoError(
            f"the clients of {made.as_of} have the segments of {model.version} already",
            remedy="cauri rfm report shows them",
        )
    counts = dict.fromkeys(range(1, 6), 0) | dict(made.clients["segment"].value_counts().iter_rows())
    return Segmented(run_id, Window(made.as_of), model, made.kept.quality, _sorted(counts), last)


def _sorted(counts: dict[int, int]) -> dict[int, int]:
    return dict(sorted(counts.items()))
