"""Whole numbers in order, by counting, against a sort that compares them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sorting import sorted_places

NUMBERS = st.integers(0, 3) | st.sampled_from([2**16 - 1, 2**16, 2**32, 2**33 + 1, 2**62, 2**63 - 1])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30))
def test_two_numbers_are_sorted_one_within_the_other(pairs: list[tuple[int, int]]) -> None:
    outer, inner = (np.array([pair[place] for pair in pairs], np.int64) for place in (0, 1))
    expected = sorted(range(len(pairs)), key=pairs.__getitem__)
    assert sorted_places(outer, sorted_places(inner)).tolist() == expected


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
def test_any_width_is_sorted_up_to_its_largest(dtype: type[np.signedinteger]) -> None:
    largest = np.iinfo(dtype).max
    assert sorted_places(np.array([largest, 0, largest - 1, 0], dtype)).tolist() == [1, 3, 2, 0]
