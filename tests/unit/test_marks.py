"""Bytes are found and counted as a loop over lines would find them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.marks import NEWLINE, count, count_by_line, places

# Long enough to reach over several words of 64 bits, with marks in any place of them.
TEXTS = st.one_of(st.text("a,\n", max_size=20), st.text("a,\n", min_size=150, max_size=300)).map(str.encode)


@given(TEXTS)
def test_bytes_are_counted_by_line(text: bytes) -> None:
    text += NEWLINE
    counted = count_by_line(text, b",", places(text, NEWLINE))
    assert counted.tolist() == [line.count(b",") for line in text.split(NEWLINE)[:-1]]


@given(TEXTS, st.integers(0, 200), st.integers(0, 200))
def test_bytes_are_found_and_counted(text: bytes, start: int, end: int) -> None:
    assert np.array_equal(places(text + b",", b","), [at for at, one in enumerate(text + b",") if one == ord(",")])
    assert count(text, b",", start, end) == text.count(b",", start, end)
