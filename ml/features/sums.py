"""Sums of amounts and of their squares over windows, without a rounding error that depends on what came before."""

import numpy as np

from ml.features.compiled import compiled
from ml.features.timeline import Floats, Ints

# An amount is split in two digits of this base, so that sums of products stay within 64 bits.
_SHIFT = 20
_MASK = (1 << _SHIFT) - 1
# Above 2^40 minor units an amount counts as so much: its square's sums would leave 64 bits.
LARGEST = (1 << 40) - 1
# Amounts whose deviation is below a thousandth of their mean are equal: deviations from them mean nothing, and the last
# rounding of the sums would show in them.
EQUAL = 1e-6


@compiled
def sums_before(amounts: Ints) -> Ints:
    """A row for each position, and one at the end: sums of what is before it.

    Of non-negative minor units, and of the three digits of their squares.
    """
    before = np.zeros((len(amounts) + 1, 4), np.int64)
    for row in range(len(amounts)):
        amount = min(amounts[row], LARGEST)
        high, low = amount >> _SHIFT, amount & _MASK
        before[row + 1, 0] = before[row, 0] + amount
        before[row + 1, 1] = before[row, 1] + high * high
        before[row + 1, 2] = before[row, 2] + high * low
        before[row + 1, 3] = before[row, 3] + low * low
    return before


@compiled
def mean(before: Ints, since: int, until: int) -> float:
    """Of the amounts of [since, until); NaN without any."""
    return (before[until, 0] - before[since, 0]) / (until - since) if until > since else np.nan


@compiled
def deviation(before: Ints, since: int, until: int, around: float) -> float:
    """Of the amounts of [since, until) from their mean; NaN below two and where all are equal."""
    if until - since < 2:
        return np.nan
    first, last = before[since], before[until]
    squares = (
        float(1 << 2 * _SHIFT) * (last[1] - first[1]) + float(2 << _SHIFT) * (last[2] - first[2]) + (last[3] - first[3])
    )
    spread = (squares - (last[0] - first[0]) * around) / (until - since - 1)
    return np.sqrt(spread) if spread > EQUAL * around**2 else np.nan


@compiled
def means(before: Ints, since: Ints, until: Ints) -> Floats:
    """Of the amounts of each window [since, until)."""
    found = np.empty(len(since))
    for row in range(len(since)):
        found[row] = mean(before, since[row], until[row])
    return found
