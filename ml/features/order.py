"""Rows by client, moment and id: one order, whatever order they came in."""

import numpy as np
import polars as pl

from engine.sorting import sorted_places
from ml.features.timeline import Ints


def in_both_orders(frame: pl.DataFrame) -> tuple[Ints, Ints]:
    """Positions of the rows by client, moment and id; and positions in that order, by moment and id."""
    order = _by_moment(frame)
    by_client = sorted_places(frame["client"].cast(pl.Int64).to_numpy().take(order))
    by_moment = np.empty_like(by_client)
    by_moment[by_client] = np.arange(len(by_client))
    return order.take(by_client), by_moment


def _by_moment(frame: pl.DataFrame) -> Ints:
    """Positions of the rows by moment and id.

    Ids are compared only where moments are equal: sorting by three columns takes as long as half the features.
    """
    moment = frame["transaction_ts"].to_physical().to_numpy()
    order = np.argsort(moment, kind="stable")
    sorted_moment = moment[order]
    equals_next = np.zeros(len(order), bool)
    equals_next[:-1] = sorted_moment[1:] == sorted_moment[:-1]
    tied = equals_next.copy()
    tied[1:] |= equals_next[:-1]
    places = np.flatnonzero(tied)
    peers = pl.DataFrame(
        {"moment": sorted_moment[places], "id": frame["transaction_id"].rechunk().gather(order[places])}
    )
    order[places] = order[places][peers.select(pl.arg_sort_by("moment", "id")).to_series().to_numpy()]
    return order
