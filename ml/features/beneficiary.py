"""To whom a client pays, and who pays to a beneficiary: distinct counterparts, new ones, the age of a pair."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ml.features.counterpart import Counterpart, Told
from ml.features.timeline import DAY, HOUR, Columns, Ints, Sums, Timeline, running
from ml.features.view import USUAL_DAYS, View

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


def beneficiary(view: View) -> Columns:
    """Distinct and new beneficiaries of the client, and the history of the pair."""
    client, pair = view.client, view.pair
    since = pair.back(USUAL_DAYS * DAY)
    count = pair.now - since
    age = (pair.key - pair.key[np.minimum(since, len(pair.key) - 1)]) / DAY
    has_one = view.known("beneficiary")
    pair_count = pair.by_row(count)
    found = {
        "is_new_beneficiary": pair_count == 0,
        "pair_count_90d": pair_count,
        "pair_age_days": pair.rows(np.where(count > 0, age, np.nan)),
    }
    newcomers = Sums.of((pair_count == 0) & has_one, client.now)
    opened = {f"client_new_beneficiaries_{name}": newcomers.since(client.back(WINDOWS[name])) for name in ("24h", "7d")}
    several = {
        f"client_beneficiaries_{name}": distinct(client, *view.gaps, window, has_one)
        for name, window in WINDOWS.items()
    }
    of_pair = {name: view.where_known("beneficiary", view.pick(values)) for name, values in found.items()}
    return of_pair | opened | several


def fan_in(payee: Counterpart) -> Iterator[Told]:
    """Transactions to the beneficiary and distinct clients that made them."""
    line, known = payee.line, payee.known
    counts = {f"beneficiary_count_{name}": line.now - line.back(window) for name, window in WINDOWS.items()}
    since_previous, until_next = known.since_previous.take(payee.rows), known.until_next.take(payee.rows)
    every = np.ones(len(line.key), bool)
    several = {
        f"beneficiary_clients_{name}": distinct(line, since_previous, until_next, window, every)
        for name, window in WINDOWS.items()
    }
    yield payee.told, counts | several


def distinct(
    line: Timeline, since_previous: Ints, until_next: Ints, window: int, counts: npt.NDArray[np.bool_]
) -> Ints:
    """Distinct counterparts of [t - window, t) among the rows that count, linear in the rows of an entity.

    A transaction stands for its pair from its moment until the pair's next one, but no longer than the window. So a
    pair comes with one that has no other in the window before it, and goes with one that has none in the window after
    it: those that have come less those that have gone are the pairs of the window.
    """
    come, gone = running(counts & (since_previous >= window)), running(counts & (until_next >= window))
    return come.take(line.now) - gone.take(line.back(window))
