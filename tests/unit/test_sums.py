"""Means and deviations of amounts over windows, against whole numbers."""

from fractions import Fraction
from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ml.features.sums import EQUAL, LARGEST, deviation, mean, sums_before

# Of one size, so that deviations mean something: a coin, a salary, the largest that counts.
SIZES = st.sampled_from([100, 10_000_000, LARGEST])
AMOUNTS = SIZES.flatmap(lambda most: st.lists(st.integers(most // 3, most), min_size=1, max_size=30))


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
    before = sums_before(np.array(amounts, np.int64))
    for until in range(len(amounts) + 1):
        around = mean(before, 0, until)
        if until:
            assert around == pytest.approx(sum(amounts[:until]) / until, rel=1e-15)
        found, expected = deviation(before, 0, until, around), exact_deviation(amounts[:until])
        assert isnan(found) == isnan(expected)
        if not isnan(expected):
            assert found == pytest.approx(expected, rel=1e-9)


@given(AMOUNTS, st.data())
def test_what_came_before_a_window_changes_no_bit(amounts: list[int], data: st.DataObject) -> None:
    since = data.draw(st.integers(0, len(amounts)))
    whole, part = (sums_before(np.array(those, np.int64)) for those in (amounts, amounts[since:]))
    count = len(amounts) - since
    around = mean(whole, since, len(amounts))
    assert np.array_equal(around, mean(part, 0, count), equal_nan=True)
    assert np.array_equal(
        deviation(whole, since, len(amounts), around), deviation(part, 0, count, around), equal_nan=True
    )


def test_amounts_beyond_the_largest_count_as_it() -> None:
    assert sums_before(np.array([LARGEST, 2**62]))[:, 0].tolist() == [0, LARGEST, 2 * LARGEST]
