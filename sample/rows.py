"""Transactions as columns of numbers: what a month is made of before it becomes text."""

from __future__ import annotations

import numpy as np

from sample.dice import Array, Ints

# Column -> type. `at` orders the rows of a file; `fate` and `reason` say what a loader must make of the row.
COLUMNS = {
    "id_day": np.uint16,
    "id_number": np.uint32,
    "ts": np.int64,
    "client": np.int32,
    "service": np.uint8,
    "channel": np.uint8,
    "place": np.uint8,
    "prefix": np.uint16,
    "number": np.uint32,
    "currency": np.uint8,
    "amount": np.int64,
    "commission": np.int64,
    "status": np.uint8,
    "ms": np.int32,
    "updated": np.int64,
    "at": np.int64,
    "fate": np.uint8,
    "reason": np.uint8,
    "fraud": np.uint8,
}
Rows = dict[str, Array]
FATES = ("loaded", "updated", "repeated", "rejected")
LOADED, UPDATED, REPEATED, REJECTED = range(4)
UNKNOWN_MS = -1


def count(rows: Rows) -> int:
    return len(rows["ts"])


def make(columns: Rows) -> Rows:
    """All columns in their types; the ones not given are zero."""
    length = len(columns["ts"])
    return {
        name: columns[name].astype(dtype, copy=False) if name in columns else np.zeros(length, dtype)
        for name, dtype in COLUMNS.items()
    }


def take(rows: Rows, index: Array) -> Rows:
    return {name: column[index] for name, column in rows.items()}


def join(parts: list[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def nothing() -> Rows:
    return {name: np.zeros(0, dtype) for name, dtype in COLUMNS.items()}


def order_by(moments: Array, origin: int) -> Ints:
    """Positions in order of time, equal times in the order given (one sort of packed integers)."""
    packed = (moments.astype(np.int64) - origin) << 32
    packed |= np.arange(len(moments))
    packed.sort()
    return packed & 0xFFFFFFFF
