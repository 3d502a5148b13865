"""To whom a client pays, and who pays to a beneficiary: distinct counterparts, new ones, the age of a pair."""

from typing import NamedTuple

import numpy as np

from ml.features.compiled import compiled
from ml.features.counterpart import Counterpart
from ml.features.pairs import Gaps, Pairs
from ml.features.timeline import DAY, HOUR, Columns, Floats, Ints, Marks, running
from ml.features.view import View

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


class Beneficiaries(NamedTuple):
    """Columns of the family that looks at the client."""

    is_new_beneficiary: Floats
    pair_count_90d: Floats
    pair_age_days: Floats
    client_beneficiaries_24h: Floats
    client_beneficiaries_7d: Floats
    client_beneficiaries_30d: Floats
    client_new_beneficiaries_24h: Floats
    client_new_beneficiaries_7d: Floats


class Window(NamedTuple):
    """Positions [since, until), so many milliseconds wide."""

    width: int
    since: Ints
    until: Ints


def beneficiary(view: View) -> Columns:
    """Distinct and new beneficiaries of the client, and the history of the pair."""
    client, pairs, has_one = view.client, view.pairs, view.known("beneficiary")
    out = Beneficiaries._make(view.empty(Beneficiaries._fields))
    _tell(out, view.rows, pairs, has_one)
    columns = out._asdict()
    every = np.arange(len(view.rows))
    for name, window in WINDOWS.items():
        since = client.back(window)
        several = columns[f"client_beneficiaries_{name}"]
        distinct(several, every, Window(window, since, client.now), pairs.gaps, has_one)
    new = running(has_one & (pairs.earlier == 0))
    for name in ("24h", "7d"):
        columns[f"client_new_beneficiaries_{name}"][:] = new.take(client.now) - new.take(client.back(WINDOWS[name]))
    return columns


@compiled
def _tell(out: Beneficiaries, rows: Ints, pairs: Pairs, has_one: Marks) -> None:
    for place in range(len(rows)):
        row = rows[place]
        is_known = has_one[row] and pairs.earlier[row] > 0
        out.is_new_beneficiary[place] = pairs.earlier[row] == 0 if has_one[row] else np.nan
        out.pair_count_90d[place] = pairs.earlier[row] if has_one[row] else np.nan
        out.pair_age_days[place] = pairs.age[row] / DAY if is_known else np.nan


def fan_in(payee: Counterpart) -> None:
    """Transactions to the beneficiary and distinct clients that made them."""
    line, known = payee.line, payee.known
    gaps = Gaps(known.since_previous.take(payee.rows), known.until_next.take(payee.rows))
    every = np.ones(len(line.key), bool)
    for name, window in WINDOWS.items():
        since = line.back(window)
        payee.out[f"beneficiary_count_{name}"][payee.places] = line.now - since
        several = payee.out[f"beneficiary_clients_{name}"]
        distinct(several, payee.places, Window(window, since, line.now), gaps, every)


@compiled
def distinct(out: Floats, places: Ints, window: Window, gaps: Gaps, counts: Marks) -> None:
    """Distinct counterparts of windows [t - width, t) among the rows that count, linear in the rows of an entity.

    A transaction stands for its pair from its moment until the pair's next one, but no longer than the window. So a
    pair comes with one that has no other in the window before it, and goes with one that has none in the window after
    it: those that have come less those that have gone are the pairs of the window.
    """
    come, gone = np.zeros(len(counts) + 1, np.int64), np.zeros(len(counts) + 1, np.int64)
    for position in range(len(counts)):
        comes = counts[position] & (gaps.since_previous[position] >= window.width)
        goes = counts[position] & (gaps.until_next[position] >= window.width)
        come[position + 1], gone[position + 1] = come[position] + comes, gone[position] + goes
    for number in range(len(places)):
        out[places[number]] = come[window.until[number]] - gone[window.since[number]]
