"""Days and values: which days count, and what of them."""

from datetime import date

import polars as pl
import pytest

from ml.rfm.values import values
from ml.rfm.window import Window, key_of, months_after, window_of
from warehouse.errors import ConfigurationError

FIRST, LAST, TODAY = date(2024, 1, 15), date(2025, 6, 30), date(2025, 7, 9)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 7, 1), -12, date(2024, 7, 1)),
        (date(2024, 2, 29), -12, date(2023, 2, 28)),
        (date(2025, 8, 31), -6, date(2025, 2, 28)),
        (date(2025, 1, 1), -1, date(2024, 12, 1)),
        (date(2025, 10, 31), 6, date(2026, 4, 30)),
    ],
)
def test_months(day: date, months: int, expected: date) -> None:
    assert months_after(day, months) == expected
    assert key_of(expected) == int(expected.strftime("%Y%m%d"))


def test_by_default_the_month_that_the_data_have_reached() -> None:
    assert window_of(None, FIRST, LAST, TODAY) == Window(date(2025, 7, 1))
    assert window_of(None, FIRST, date(2025, 6, 29), TODAY).as_of == date(2025, 6, 1)
    # Data of today do not make tomorrow's month.
    assert window_of(None, FIRST, date(2025, 6, 30), date(2025, 6, 30)).as_of == date(2025, 6, 1)
    # Within the first month there is no first of a month: all days so far.
    assert window_of(None, FIRST, date(2024, 1, 20), TODAY).as_of == date(2024, 1, 21)


def test_a_day_may_be_today_and_not_later() -> None:
    assert window_of(TODAY, FIRST, LAST, TODAY).since == date(2024, 7, 9)
    with pytest.raises(ConfigurationError, match="has not come yet"):
        window_of(date(2025, 7, 10), FIRST, LAST, TODAY)


def test_a_day_has_to_have_something_before_it() -> None:
    assert window_of(date(2024, 1, 16), FIRST, LAST, TODAY).as_of == date(2024, 1, 16)
    for asked in (FIRST, date(1999, 1, 1)):
        with pytest.raises(ConfigurationError, match=f"no successful transaction is older than {asked}"):
            window_of(asked, FIRST, LAST, TODAY)


def test_values_of_clients() -> None:
    activity = pl.DataFrame(
        {
            "client": [3, 1, 2],
            "client_ref": [b"c", b"a", b"b"],
            "first_key": [20240115, 20240101, 20250630],
            "last_key": [20240229, 20250601, 20250630],
            "active_days": [4, 5, 1],
        },
        schema_overrides={"client": pl.Int32, "active_days": pl.Int32},
    )
    amounts = {
        "client": [1, 2],
        "successes": [7, 1],
        "amount_minor": [900, -5],
        "commission_minor": [9, 0],
    }
    recent = pl.DataFrame(amounts, schema_overrides={"client": pl.Int32})
    ever = pl.DataFrame({"client": [1, 2, 3], "commission_minor": [10, 0, 4]}, schema_overrides={"client": pl.Int32})
    found = values(activity, recent, ever, Window(date(2025, 7, 1)))
    assert found.select("client_ref", "recency", "frequency", "monetary_minor", "age").rows() == [
        (b"a", 30, 7, 900, 547),
        # Negative sums, as of a source that books reversals so, end at nothing.
        (b"b", 1, 1, 0, 1),
        # Nothing in the window: the last day is known all the same.
        (b"c", 488, 0, 0, 533),
    ]
    assert found.select("active_days", "revenue_minor", "recent_revenue_minor").rows() == [
        (5, 10, 9),
        (1, 0, 0),
        (4, 4, 0),
    ]
