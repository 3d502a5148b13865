"""Sums of amounts and of their squares over windows, without a rounding error that depends on what came before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ml.features.timeline import Floats, Ints, Sums, share

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
    """Over windows that end at some positions, of minor units that are neither negative nor above the largest."""

    amounts: Ints
    until: Ints

    @classmethod
    def of(cls, amounts: Ints, until: Ints) -> "AmountSums":
        """Of non-negative minor units in the order of a timeline."""
        return cls(np.minimum(amounts, LARGEST), until)

    @cached_property
    def plain(self) -> Sums:
        """Of the amounts."""
        return Sums.of(self.amounts, self.until)

    @cached_property
    def squares(self) -> tuple[tuple[float, Sums], ...]:
        """Of the digits of their squares, with the weight of each."""
        amounts = self.amounts
        if int(amounts.max(initial=0)) ** 2 * len(amounts) < _EXACT:
            return ((1.0, Sums.of(amounts * amounts, self.until)),)
        high, low = amounts >> _SHIFT, amounts & _MASK
        digits = (float(1 << 2 * _SHIFT), high * high), (float(2 << _SHIFT), high * low), (1.0, low * low)
        return tuple((weight, Sums.of(digit, self.until)) for weight, digit in digits)

    def window(self, since: Ints) -> "AmountWindow":
        """The positions [since, until), for each of these."""
        return AmountWindow(self, since)


@dataclass(frozen=True)
class AmountWindow:
    """Amounts of the positions [since, until) of some sums."""

    sums: AmountSums
    since: Ints

    @cached_property
    def count(self) -> Ints:
        """How many."""
        return self.sums.until - self.since

    @cached_property
    def total(self) -> Ints:
        """Their sum."""
        return self.sums.plain.since(self.since)

    @cached_property
    def mean(self) -> Floats:
        """Mean; unknown without any."""
        return share(self.total, self.count)

    @property
    def deviation(self) -> Floats:
        """Standard deviation of the sample; unknown below two amounts and where all are equal."""
        squares = sum(weight * digit.since(self.since) for weight, digit in self.sums.squares)
        spread = share(squares - self.total * self.mean, self.count - 1)
        spread[~(spread > EQUAL * self.mean**2)] = np.nan
        return np.sqrt(spread, out=spread)
