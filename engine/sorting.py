"""Rows in the order of whole numbers, by counting: 16 bits at a time, which NumPy sorts without comparing.

Of 125,000 rows by 24 bits that takes 1.1 ms, `argsort` 6.5; of 1.24 million by 13 bits 12 ms, where sorting the numbers
packed with their places took 68.
"""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

_BITS = 16


def sorted_places(numbers: NDArray[np.signedinteger], places: Places | None = None) -> Places:
    """Places of numbers from 0 up, the smallest first; equal ones as they stand, or as `places` has them."""
    highest = int(numbers.max(initial=0))
    for shift in range(0, max(highest.bit_length(), 1), _BITS):
        # The conversion keeps the low bits.
        digits = (numbers >> shift).astype(np.uint16)
        if places is None:
            places = np.argsort(digits, kind="stable")
        else:
            places = places.take(np.argsort(digits.take(places), kind="stable"))
    assert places is not None
    return places


def changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Is a value another than the one before it? The first one is."""
    marks = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=marks[1:])
    return marks
