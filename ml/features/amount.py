"""How an amount compares with what the client does."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ml.features.compiled import compiled, ratio
from ml.features.sums import deviation, mean
from ml.features.timeline import DAY, Columns, Floats, Ints
from ml.features.view import USUAL_DAYS, View

ROUND_UNITS = 100


class Amounts(NamedTuple):
    """The family's columns."""

    log_amount: Floats
    is_round_amount: Floats
    amount_to_usual: Floats
    amount_to_mean_24h: Floats
    amount_to_mean_7d: Floats
    amount_to_mean_30d: Floats
    amount_to_mean_90d: Floats
    amount_to_max_90d: Floats
    amount_z_7d: Floats
    amount_z_30d: Floats
    amount_z_90d: Floats
    client_mean_7d: Floats
    client_mean_30d: Floats
    client_mean_90d: Floats
    client_mean_1d_to_usual: Floats
    client_mean_3d_to_usual: Floats
    client_mean_7d_to_usual: Floats
    client_high_3d: Floats
    client_high_7d: Floats
    client_high_14d: Floats
    client_highest_to_usual_3d: Floats
    client_highest_to_usual_7d: Floats


class Windows(NamedTuple):
    """First positions of the client's last days, and what is before each position."""

    day: Ints
    three_days: Ints
    week: Ints
    fortnight: Ints
    month: Ints
    usual: Ints
    until: Ints
    amounts: Ints
    high: Ints
    largest: Floats


def amount(view: View) -> Columns:
    """The amount against the client's means, deviations and largest, and shifts of those means."""
    client, frame = view.client, view.told
    since = [client.back(days * DAY) for days in (1, 3, 7, 14, 30, USUAL_DAYS)]
    largest, to_usual = np.empty(len(view.rows)), np.nan_to_num(view.to_usual)
    _largest(largest, view.minor, since[-1], client.now)
    past = Windows._make([*since, client.now, view.amounts, view.high_before, largest])
    out, units = Amounts._make(view.empty(Amounts._fields)), frame["amount"].to_numpy()
    out.log_amount[:] = np.log1p(np.maximum(units, 0))
    _compare(out, view.rows, view.minor, view.usual_mean, units, past)
    _largest(out.client_highest_to_usual_3d, to_usual, past.three_days, past.until)
    _largest(out.client_highest_to_usual_7d, to_usual, past.week, past.until)
    return out._asdict()


@compiled
def _compare(out: Amounts, rows: Ints, minor: Ints, usual_mean: Floats, units: Floats, past: Windows) -> None:
    before = past.amounts
    for place in range(len(rows)):
        row, until = rows[place], past.until[place]
        # Compared in minor units, in which the sums are exact.
        amount, usual, unit = minor[row], usual_mean[row], ratio(units[place], minor[row])
        rounded = np.rint(units[place] / ROUND_UNITS) * ROUND_UNITS
        out.is_round_amount[place] = units[place] > 0 and units[place] == rounded
        out.amount_to_usual[place] = ratio(amount, usual)
        day = mean(before, past.day[place], until)
        three_days = mean(before, past.three_days[place], until)
        week = mean(before, past.week[place], until)
        month = mean(before, past.month[place], until)
        quarter = mean(before, past.usual[place], until)
        out.amount_to_mean_24h[place] = ratio(amount, day)
        out.amount_to_mean_7d[place] = ratio(amount, week)
        out.amount_to_mean_30d[place] = ratio(amount, month)
        out.amount_to_mean_90d[place] = ratio(amount, quarter)
        out.amount_to_max_90d[place] = ratio(amount, past.largest[place])
        out.amount_z_7d[place] = (amount - week) / deviation(before, past.week[place], until, week)
        out.amount_z_30d[place] = (amount - month) / deviation(before, past.month[place], until, month)
        out.amount_z_90d[place] = (amount - quarter) / deviation(before, past.usual[place], until, quarter)
        out.client_mean_7d[place] = week * unit
        out.client_mean_30d[place] = month * unit
        out.client_mean_90d[place] = quarter * unit
        out.client_mean_1d_to_usual[place] = ratio(day, usual)
        out.client_mean_3d_to_usual[place] = ratio(three_days, usual)
        out.client_mean_7d_to_usual[place] = ratio(week, usual)
        out.client_high_3d[place] = past.high[until] - past.high[past.three_days[place]]
        out.client_high_7d[place] = past.high[until] - past.high[past.week[place]]
        out.client_high_14d[place] = past.high[until] - past.high[past.fortnight[place]]


@compiled
def _largest(out: Floats, values: npt.NDArray[np.generic], since: Ints, until: Ints) -> None:
    """Largest of the positions [since, until), which only move on; NaN without any.

    Those that a later and larger one has made idle are forgotten: what is left falls, and the first is the largest.
    """
    falling = np.empty(len(values), np.int64)
    first = end = taken = 0
    for row in range(len(out)):
        while taken < until[row]:
            while end > first and values[falling[end - 1]] <= values[taken]:
                end -= 1
            falling[end] = taken
            end += 1
            taken += 1
        while first < end and falling[first] < since[row]:
            first += 1
        out[row] = values[falling[first]] if first < end else np.nan
