"""To whom a client pays, and who pays to a beneficiary: distinct counterparts, new ones, the age of a pair."""

import numpy as np

from ml.features.timeline import DAY, HOUR, REACH, Floats, Ints, Timeline, running
from ml.features.view import USUAL_DAYS, View

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


def beneficiary(view: View) -> dict[str, Floats]:
    """Distinct and new beneficiaries of the client, and the history of the pair."""
    client, pair = view.client, view.pair
    since = pair.back(USUAL_DAYS * DAY)
    count = pair.now - since
    age = (pair.key - pair.key[np.minimum(since, len(pair.key) - 1)]) / DAY
    has_one = view.known("beneficiary")
    is_new = pair.rows(count == 0)
    found = {
        "is_new_beneficiary": is_new,
        "pair_count_90d": pair.rows(count),
        "pair_age_days": pair.rows(np.where(count > 0, age, np.nan)),
    }
    found = {name: view.where_known("beneficiary", values) for name, values in found.items()}
    found |= _distinct(client, _until_next(view), has_one, "client_beneficiaries")
    newcomers = running(client.along(is_new.astype(bool) & has_one))
    for name in ("24h", "7d"):
        opened = newcomers[client.now] - newcomers[client.back(WINDOWS[name])]
        found[f"client_new_beneficiaries_{name}"] = client.rows(opened)
    return found


def fan_in(view: View) -> dict[str, Floats]:
    """Transactions to the beneficiary and distinct clients that made them."""
    by, has_one = view.beneficiary, view.known("beneficiary")
    counts = {f"beneficiary_count_{name}": by.rows(by.now - by.back(window)) for name, window in WINDOWS.items()}
    found = counts | _distinct(by, _until_next(view), has_one, "beneficiary_clients")
    return {name: view.where_known("beneficiary", values) for name, values in found.items()}


def _until_next(view: View) -> Ints:
    """By row: milliseconds until the next transaction of the same pair, or as long as no window is."""
    pair = view.pair
    gap = np.full(len(pair.key), REACH, np.int64)
    follows = pair.start[1:] == pair.start[:-1]
    gap[:-1][follows] = np.diff(pair.key)[follows]
    return pair.rows(gap).astype(np.int64)


def _distinct(by: Timeline, until_next: Ints, counts: np.ndarray, prefix: str) -> dict[str, Floats]:
    """Distinct counterparts of [t - w, t), linear in the rows of an entity.

    A transaction stands for its pair from its moment until the pair's next one, but no longer than the window: those
    that have begun less those that have ended are the pairs of the window.
    """
    counted = by.along(counts)
    begun = running(counted)
    gaps, keys = by.along(until_next)[counted], by.key[counted]
    found = {}
    for name, window in WINDOWS.items():
        ends = np.sort(keys + np.minimum(gaps, window))
        # One that ends at t still stands: its successor is a peer of t, or it is exactly a window old.
        ended = np.searchsorted(ends, by.key)
        found[f"{prefix}_{name}"] = by.rows(begun[by.now] - ended)
    return found
