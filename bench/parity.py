"""The features of a batch against the definitions, one transaction at a time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import isclose

import polars as pl

from ml.features.catalogue import FEATURE_NAMES
from ml.features.extract import extract
from ml.features.history import History, Row
from ml.features.single import features

TOLERANCE = 1e-9


@dataclass
class Parity:
    """`different`: feature -> rows in which batch and definition differ. `seconds` of each transaction by itself."""

    different: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def compare(transactions: pl.DataFrame, labels: pl.DataFrame, *, leaks: bool = False) -> Parity:
    """All transactions, in the order of their moments. `leaks`: let the definition see the row itself."""
    batch = extract(transactions.lazy(), labels.lazy()).collect().sort("transaction_ts", "transaction_id")
    frauds = labels.filter("is_fraud").select("transaction_id", pl.col("reported_at").dt.epoch("ms"))
    history, found = History(dict(frauds.iter_rows())), Parity()
    ordered = transactions.sort("transaction_ts", "transaction_id")
    for row, wanted in zip(ordered.iter_rows(named=True), batch.iter_rows(named=True), strict=True):
        if leaks:
            history.add({**row, "transaction_ts": row["transaction_ts"] - timedelta(milliseconds=1)})
        began = time.perf_counter()
        single = features(history, row)
        found.seconds.append(time.perf_counter() - began)
        if not leaks:
            history.add(row)
        _count(found, single, wanted)
    return found


def _count(found: Parity, single: Mapping[str, float | None], wanted: Row) -> None:
    if set(single) != set(FEATURE_NAMES):
        raise ValueError(f"other features than those of the catalogue: {set(single) ^ set(FEATURE_NAMES)}")
    for name, value in single.items():
        if not _same(value, wanted[name]):
            found.different[name] = found.different.get(name, 0) + 1


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
