"""Drift of the newest transactions, or of given days."""

from datetime import date, timedelta

import numpy as np

from ml.fraud.drift import DriftReport, drift
from ml.fraud.registry import Registered
from ml.fraud.rows import all_labels, examples_of, rows_by_day
from ml.fraud.windows import Days
from ml.transactions import Transactions
from warehouse.connection import connect
from warehouse.errors import NothingToDoError

NEWEST_DAYS = 7


def drift_of_days(url: str, model: Registered, since: date | None, until: date | None) -> tuple[Days, DriftReport]:
    """Compare the transactions of some days with those of training; without `since`, of the newest seven.

    Raises:
        NothingToDoError: the days have no transactions.
    """
    with connect(url) as connection:
        rows_of = rows_by_day(connection)
    there = [day for day in sorted(rows_of) if until is None or day < until]
    first = since or (there[-1] - timedelta(days=NEWEST_DAYS - 1) if there else None)
    wanted = [day for day in there if first is not None and day >= first]
    if not wanted:
        raise NothingToDoError(
            "there are no transactions on these days", remedy="cauri status shows how far the data reach"
        )
    days = Days(wanted[0], wanted[-1] + timedelta(days=1))
    given, labels = Transactions(url), all_labels(url)
    matrix = np.concatenate([model.model.matrix(rows) for rows in examples_of(given, days, rows_of, labels)])
    return days, drift(model.reference, matrix, model.score(model.model.margin_of(matrix)), model.model.features)
