"""Numbers of rows as people write them."""

import argparse

_UNITS = {"k": 1_000, "m": 1_000_000}


def rows_of(text: str) -> int:
    """`300k`, `3m` or `36m`, or a plain number, as a number.

    Raises:
        argparse.ArgumentTypeError: it is none, or below 1.
    """
    digits, unit = (text[:-1], _UNITS[text[-1].lower()]) if text[-1:].lower() in _UNITS else (text, 1)
    try:
        rows = round(float(digits.replace("_", "").replace(",", "")) * unit)
    except ValueError:
        rows = 0
    if rows < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows: write 300k, 3m, 36m or 500000")
    return rows


def spoken(rows: int) -> str:
    """A number of rows as `rows_of` reads it, as short as it can be."""
    for letter, unit in (("m", 1_000_000), ("k", 1_000)):
        if rows >= unit and rows % (unit // 10) == 0:
            return f"{rows / unit:g}{letter}"
    return str(rows)
