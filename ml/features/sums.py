"""Sums of amounts and of their squares over windows, without a rounding error that depends on what came before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ml.features.timeline import Floats, Ints, between, running, share

# An amount is split in two digits of this base, so that sums of products stay within 64 bits.
_SHIFT = 20
_MASK = (1 << _SHIFT) - 1
# Above 2^40 minor units an amount counts as so much: its square's sums would leave 64 bits.
LARGEST = (1 << 40) - 1
# Amounts whose deviation is below a thousandth of their mean are equal: deviations from them mean nothing, and the last
# rounding of the sums would show in them.
EQUAL = 1e-6
# Below it a float is exact: sums that stay so need no digits.
_EXACT = 1 << 53


@dataclass(frozen=True)
class AmountSums:
    """Running sums by position of a timeline: of minor units, and of the digits of their squares with their weights."""

    plain: Ints
    squares: tuple[tuple[float, Ints], ...]

    @classmethod
    def of(cls, amounts: Ints) -> "AmountSums":
        """Of non-negative minor units in the order of a timeline."""
        bounded = np.minimum(amounts, LARGEST)
        if int(bounded.max(initial=0)) ** 2 * len(bounded) < _EXACT:
            return cls(running(bounded), ((1.0, running(bounded * bounded)),))
        high, low = bounded >> _SHIFT, bounded & _MASK
        digits = (float(1 << 2 * _SHIFT), high * high), (float(2 << _SHIFT), high * low), (1.0, low * low)
        return cls(running(bounded), tuple((weight, running(digit)) for weight, digit in digits))

    def window(self, since: Ints, until: Ints) -> "AmountWindow":
        """The positions [since, until), for each position."""
        return AmountWindow(self, since, until)


@dataclass(frozen=True)
class AmountWindow:
    """Amounts of the positions [since, until)."""

    sums: AmountSums
    since: Ints
    until: Ints

    @cached_property
    def count(self) -> Ints:
        """How many."""
        return self.until - self.since

    @cached_property
    def total(self) -> Ints:
        """Their sum."""
        return between(self.sums.plain, self.since, self.until)

    @cached_property
    def mean(self) -> Floats:
        """Mean; unknown without any."""
        return share(self.total, self.count)

    @property
    def deviation(self) -> Floats:
        """Standard deviation of the sample; unknown below two amounts and where all are equal."""
        squares = sum(weight * between(digit, self.since, self.until) for weight, digit in self.sums.squares)
        total = self.total.astype(float)
        spread = share(squares - share(total * total, self.count), self.count - 1)
        return np.sqrt(np.where(spread > EQUAL * self.mean**2, spread, np.nan))
