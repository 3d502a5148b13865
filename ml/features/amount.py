"""How an amount compares with what the client does."""

import numpy as np
import numpy.typing as npt

from ml.features.timeline import DAY, Columns, Floats, Ints, Sums, share
from ml.features.view import USUAL_DAYS, View

ROUND_UNITS = 100


def amount(view: View) -> Columns:
    """The amount against the client's means, deviations and largest, and shifts of those means."""
    client = view.client
    # Amounts are compared in minor units, in which the sums are exact.
    minor, usual, to_usual = (view.pick(values) for values in (view.minor, view.usual_mean, view.to_usual))
    unit = view.unit
    found: Columns = {
        "amount_to_usual": to_usual,
        "amount_to_max_90d": share(minor, largest(view.minor, client.now, client.back(USUAL_DAYS * DAY))[0]),
    }
    paid = {days: view.paid(days) for days in (1, 3, 7, 30, USUAL_DAYS)}
    found["amount_to_mean_24h"] = share(minor, paid[1].mean)
    for days in (7, 30, USUAL_DAYS):
        mean = paid[days].mean
        found[f"amount_to_mean_{days}d"] = share(minor, mean)
        found[f"client_mean_{days}d"] = mean * unit
        found[f"amount_z_{days}d"] = (minor - mean) / paid[days].deviation
    for days in (1, 3, 7):
        found[f"client_mean_{days}d_to_usual"] = share(paid[days].mean, usual)
    high = Sums.of(view.is_high, client.now)
    for days in (3, 7, 14):
        found[f"client_high_{days}d"] = high.since(client.back(days * DAY))
    ratios = np.nan_to_num(view.to_usual)
    in_week, in_three_days = largest(ratios, client.now, client.back(7 * DAY), client.back(3 * DAY))
    units = np.maximum(view.told["amount"].to_numpy(), 0)
    return {
        **found,
        "client_highest_to_usual_3d": in_three_days,
        "client_highest_to_usual_7d": in_week,
        "log_amount": np.log1p(units),
        "is_round_amount": (units > 0) & (np.rint(units / ROUND_UNITS) * ROUND_UNITS == units),
    }


def largest(values: npt.NDArray[np.generic], until: Ints, *sinces: Ints) -> list[Floats]:
    """Largest of the positions [since, until) for each since, by two spans of 2^k that cover them; NaN without any."""
    longest = max(int((until - since).max(initial=1)) for since in sinces)
    # Row k: the largest of the 2^k values from a position on.
    spans = np.empty((max(longest, 1).bit_length(), len(values) + 1))
    # One place more: where an empty window after the last row looks.
    spans[0, :-1], spans[0, -1] = values, np.nan
    for k in range(1, len(spans)):
        half = 1 << (k - 1)
        np.maximum(spans[k - 1, :-half], spans[k - 1, half:], out=spans[k, :-half])
        spans[k, -half:] = spans[k - 1, -half:]
    return [_largest(spans, since, until) for since in sinces]


def _largest(spans: Floats, since: Ints, until: Ints) -> Floats:
    length = until - since
    level = np.maximum(np.frexp(np.arange(length.max(initial=0) + 1))[1].astype(np.int64) - 1, 0)
    row, flat = level * spans.shape[1], spans.ravel()
    first, second = row.take(length), (row - (1 << level)).take(length)
    first += since
    second += until
    best: Floats = flat.take(first)
    np.maximum(best, flat.take(second), out=best)
    best[length <= 0] = np.nan
    return best
