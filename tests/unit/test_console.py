"""Numbers as a table shows them."""

import pytest

from cli.console import decimals, short


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0 k"),
        (92_222_950, "92.2 M"),
        (1_238_871_036, "1.2 G"),
        (-52_000, "-52.0 k"),
    ],
)
def test_large_numbers_are_short(value: float | None, shown: str) -> None:
    assert short(value) == shown


def test_a_number_that_is_not_there_is_a_dash() -> None:
    assert (decimals(None), decimals(0.12345), decimals(1234.5, 1)) == ("-", "0.123", "1,234.5")
