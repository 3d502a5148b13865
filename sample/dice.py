"""Weighted draws by table look-up, and hashes that stand in for memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A slot is 1/4096 of the probability: fine enough for every weight used here, small enough for the L1 cache.
WHEEL_BITS = 12
WHEEL_SLOTS = 1 << WHEEL_BITS

Array = NDArray[Any]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]


def apportion(weights: Floats, total: int) -> Ints:
    """Whole numbers in proportion to the weights that sum to exactly `total` (largest remainder)."""
    exact = np.asarray(weights, dtype=np.float64) * (total / np.sum(weights))
    counts = np.floor(exact).astype(np.int64)
    missing = total - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    return counts


def wheels(weights: Floats) -> Bytes:
    """Roulette wheels end to end, one for each row of weights; wheel w starts at slot w * WHEEL_SLOTS.

    A slot names a choice, so that a weighted draw is `table[w * WHEEL_SLOTS + random slot]`.
    """
    shares = np.cumsum(weights, axis=1) / np.sum(weights, axis=1, keepdims=True)
    edges = np.rint(shares * WHEEL_SLOTS).astype(np.int64)
    counts = np.diff(edges, axis=1, prepend=0)
    choices = np.arange(weights.shape[1], dtype=np.uint8)
    return np.repeat(np.tile(choices, len(weights)), counts.ravel())


def spin(table: Bytes, which: Array, slots: Array) -> Bytes:
    index = which.astype(np.int32)
    index <<= WHEEL_BITS
    index |= slots.astype(np.int32)
    drawn: Bytes = table[index]
    return drawn


def bits(words: Words, start: int, count: int) -> Ints:
    """`count` bits of each random word, as a number; one word serves several draws."""
    field = (words >> np.uint64(start)) & np.uint64((1 << count) - 1)
    return field.view(np.int64)


def mix(keys: Array) -> Words:
    """SplitMix64: the same key always gives the same random word."""
    word = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word ^= word >> np.uint64(30)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    word *= np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    return word
