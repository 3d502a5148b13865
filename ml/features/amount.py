"""How an amount compares with what the client does."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ml.features.timeline import DAY, HOUR, Floats, Ints, running, share
from ml.features.view import USUAL_DAYS, View

# A normal deviate of twice the mean is rare, and five times the mean common among frauds by a stolen credential.
HIGH = 2.5
ROUND_UNITS = 100


def amount(view: View) -> dict[str, Floats]:
    """The amount against the client's means, deviations and largest, and shifts of those means."""
    client, sums = view.client, view.client_sums
    # Amounts are compared in minor units, in which the sums are exact.
    minor = view.minor
    usual = view.usual_mean()
    to_usual = share(minor, usual)
    found: dict[str, npt.NDArray[Any]] = {
        "amount_to_usual": to_usual,
        "amount_to_max_90d": share(minor, largest(minor, client.back(USUAL_DAYS * DAY), client.now)),
    }
    for name, window in (("24h", 24 * HOUR), ("7d", 7 * DAY), ("30d", 30 * DAY), ("90d", USUAL_DAYS * DAY)):
        since = client.back(window)
        mean = sums.mean(since, client.now)
        found[f"amount_to_mean_{name}"] = share(minor, mean)
        if window > DAY:
            found[f"client_mean_{name}"] = mean * view.unit
            found[f"amount_z_{name}"] = (minor - mean) / sums.deviation(since, client.now)
    for days in (1, 3, 7):
        found[f"client_mean_{days}d_to_usual"] = share(sums.mean(client.back(days * DAY), client.now), usual)
    high = running(np.nan_to_num(to_usual) > HIGH)
    for days in (3, 7, 14):
        found[f"client_high_{days}d"] = high[client.now] - high[client.back(days * DAY)]
    for days in (3, 7):
        found[f"client_highest_to_usual_{days}d"] = largest(
            np.nan_to_num(to_usual), client.back(days * DAY), client.now
        )
    units = np.maximum(view.frame["amount"].to_numpy(), 0)
    return {
        **{name: client.rows(values) for name, values in found.items()},
        "log_amount": np.log1p(units),
        "is_round_amount": ((units > 0) & (units % ROUND_UNITS == 0)).astype(float),
    }


def largest(values: npt.NDArray[np.generic], since: Ints, until: Ints) -> Floats:
    """Largest of the positions [since, until), by two spans of 2^k that cover them; NaN without any."""
    length = until - since
    level = np.frexp(np.maximum(length, 1))[1] - 1
    best = np.full(len(values), np.nan)
    table = values.astype(float)
    for k in range(int(level[length > 0].max(initial=-1)) + 1):
        here = np.flatnonzero((level == k) & (length > 0))
        best[here] = np.maximum(table[since[here]], table[until[here] - (1 << k)])
        table = np.maximum(table[: len(table) - (1 << k)], table[1 << k :])
    return best
