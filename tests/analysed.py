"""A small warehouse with everything that dashboards show: labels, scores, segments of two days. Tests only read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from engine.dashboards import refresh_dashboards
from ml.fraud.score import score_days
from ml.rfm import segmentation
from tests.loading import settings_for
from tests.scoring import Scoring, Trained, copied
from warehouse.connection import connect

BEFORE, AS_OF = date(2024, 4, 1), date(2024, 5, 1)


@contextmanager
def analysed(trained: Trained) -> Iterator[Scoring]:
    """A copy of a trained warehouse, scored, segmented and refreshed."""
    with copied(trained) as one:
        score_days(one.site, None)
        segmentation.fit(one.url, settings_for(one.url, one.home), BEFORE, AS_OF)
        segmentation.assign(one.url, AS_OF, AS_OF)
        with connect(one.url) as connection:
            refresh_dashboards(connection)
        yield one
