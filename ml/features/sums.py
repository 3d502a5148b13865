"""Sums of amounts and of their squares over windows, without a rounding error that depends on what came before."""

from dataclasses import dataclass

import numpy as np

from ml.features.timeline import Floats, Ints, running, share

# An amount is split in two digits of this base, so that sums of products stay within 64 bits.
_SHIFT = 20
_MASK = (1 << _SHIFT) - 1
# Above 2^40 minor units an amount counts as so much: its square's sums would leave 64 bits.
LARGEST = (1 << 40) - 1
# Amounts whose deviation is below a thousandth of their mean are equal: deviations from them mean nothing, and the last
# rounding of the sums would show in them.
EQUAL = 1e-6


@dataclass(frozen=True)
class AmountSums:
    """Running sums of minor units by position of a timeline."""

    plain: Ints
    high: Ints
    cross: Ints
    low: Ints

    @classmethod
    def of(cls, amounts: Ints) -> "AmountSums":
        """Of non-negative minor units in the order of a timeline."""
        bounded = np.minimum(amounts, LARGEST)
        high, low = bounded >> _SHIFT, bounded & _MASK
        return cls(running(bounded), running(high * high), running(high * low), running(low * low))

    def mean(self, since: Ints, until: Ints) -> Floats:
        """Mean over the positions [since, until); unknown without any."""
        return share(self.plain[until] - self.plain[since], until - since)

    def deviation(self, since: Ints, until: Ints) -> Floats:
        """Standard deviation of the sample; unknown below two amounts and where all are equal."""
        count = (until - since).astype(float)
        total = (self.plain[until] - self.plain[since]).astype(float)
        squares = (
            (self.high[until] - self.high[since]) * float(1 << 2 * _SHIFT)
            + (self.cross[until] - self.cross[since]) * float(2 << _SHIFT)
            + (self.low[until] - self.low[since])
        )
        spread = share(squares - share(total * total, count), count - 1)
        return np.sqrt(np.where(spread > EQUAL * (total / np.maximum(count, 1)) ** 2, spread, np.nan))
