"""Sums of amounts over windows, against whole numbers."""

from fractions import Fraction
from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ml.features import sums
from ml.features.sums import EQUAL, LARGEST, AmountSums, AmountWindow

# Of one size, so that deviations mean something: a coin, a salary, the largest that counts.
SIZES = st.sampled_from([100, 10_000_000, LARGEST])
AMOUNTS = SIZES.flatmap(lambda most: st.lists(st.integers(most // 3, most), min_size=1, max_size=30))


def whole(amounts: list[int]) -> AmountWindow:
    """For each position, all before it."""
    until = np.arange(len(amounts) + 1)
    return AmountSums.of(np.array(amounts, np.int64), until).window(np.zeros_like(until))


def exact_deviation(amounts: list[int]) -> float:
    """Of the sample, from fractions."""
    if len(amounts) < 2:
        return float("nan")
    mean = Fraction(sum(amounts), len(amounts))
    spread = sum(((amount - mean) ** 2 for amount in amounts), Fraction()) / (len(amounts) - 1)
    # At the border itself a float's last bit decides.
    assume(mean == 0 or abs(spread / mean**2 / Fraction(EQUAL) - 1) > 1e-9)
    return sqrt(spread) if spread > EQUAL * mean**2 else float("nan")


@given(AMOUNTS)
def test_mean_and_deviation_are_exact(amounts: list[int]) -> None:
    window = whole(amounts)
    for until, (mean, deviation) in enumerate(zip(window.mean, window.deviation, strict=True)):
        before = amounts[:until]
        if before:
            assert mean == pytest.approx(sum(before) / len(before), rel=1e-15)
        expected = exact_deviation(before)
        assert isnan(deviation) == isnan(expected)
        if not isnan(expected):
            assert deviation == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=100))
def test_digits_change_no_bit(amounts: list[int]) -> None:
    plain = whole(amounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_EXACT", 0)
        digits = whole(amounts)
        assert len(digits.sums.squares) == 3
    assert len(plain.sums.squares) == 1
    assert plain.deviation.tobytes() == digits.deviation.tobytes()


def test_amounts_beyond_the_largest_count_as_it() -> None:
    assert whole([LARGEST, 2**62]).total.tolist() == [0, LARGEST, 2 * LARGEST]
