"""From rows of the fact to the cells of the daily summary.

Rows are sorted by cell and beneficiary and added up where they stand. On 125,000 rows with 75,000 cells that took 0.24
us a row before they were sorted by counting, where Polars, which hashes them into groups, took 0.57 in the same run.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sorting import changes, sorted_places

# In the order of the index of the daily summary, which then has little to sort when it is built.
CELL = ("client_key", "date_key", "service_key", "currency_key")
SUCCESS, FAILED, PENDING, REVERSED = 1, 2, 3, 4

Numbers = NDArray[np.int64]

_LARGEST = 2**63


def cells(fact: pl.DataFrame) -> pl.DataFrame:
    """Daily summary of fact rows (with `client_durable_key`): one row a day x client x service x currency, sorted."""
    if fact.is_empty():
        return _cells(fact, np.empty(0, np.int64), np.empty(0, np.int64))
    packed = _packed([fact[name].to_numpy() for name in CELL])
    order = sorted_places(packed, sorted_places(fact["beneficiary_key"].to_numpy()))
    return _cells(fact, order, np.flatnonzero(changes(packed[order])))


def _packed(columns: list[NDArray[np.signedinteger]]) -> Numbers:
    """One number for the values of each row, in the order of those values."""
    packed, size = np.zeros(len(columns[0]), np.int64), 1
    for values in columns:
        least = int(values.min())
        width = int(values.max()) - least + 1
        if size * width >= _LARGEST:
            places, packed = np.unique(packed, return_inverse=True)
            size = len(places)
        packed = packed * width + (values.astype(np.int64) - least)
        size *= width
    return packed


def _cells(fact: pl.DataFrame, order: Numbers, begins: Numbers) -> pl.DataFrame:
    status, amount = (fact[name].to_numpy()[order] for name in ("status_key", "amount_minor"))
    succeeded, processing = status == SUCCESS, fact["processing_ms"][order]

    def total(name: str, rows: NDArray[np.generic], dtype: type[np.signedinteger] = np.int32) -> pl.Series:
        return pl.Series(name, np.add.reduceat(rows, begins, dtype=dtype) if len(begins) else np.empty(0, dtype))

    return fact.select(*CELL, "client_durable_key")[order[begins]].with_columns(
        total("amount_minor", amount, np.int64),
        total("success_amount_minor", amount * succeeded, np.int64),
        total("commission_minor", fact["commission_minor"].to_numpy()[order] * succeeded, np.int64),
        total("processing_ms_sum", processing.fill_null(0).to_numpy(), np.int64),
        total("transactions", np.ones(len(order), bool)),
        total("successes", succeeded),
        total("failures", status == FAILED),
        total("pendings", status == PENDING),
        total("reversals", status == REVERSED),
        total("processing_ms_count", processing.is_not_null().to_numpy()),
        total("distinct_beneficiaries", _firsts(fact["beneficiary_key"].to_numpy()[order], begins)),
        total("anomalies", fact["anomaly_flags"].to_numpy()[order] != 0),
    )


def _firsts(beneficiaries: NDArray[np.int32], begins: Numbers) -> NDArray[np.bool_]:
    """The first of each beneficiary within a cell, in which they are sorted; key 0, the unknown one, is nobody."""
    marks = changes(beneficiaries)
    marks[begins] = True
    known: NDArray[np.bool_] = beneficiaries != 0
    return marks & known
