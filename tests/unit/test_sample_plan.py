"""What a plan allows, and how it spreads its rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from sample.dice import WHEEL_SLOTS, apportion, mix, wheels
from sample.plan import SamplePlan, add_months, month_starts, rows_by_month


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows is 0"),
        ({"months": 0}, "months is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"start": date(2024, 1, 15)}, "first day of a month"),
        ({"start": date(1999, 1, 1)}, "2001 or later"),
        ({"clients": 0}, "clients is 0"),
        ({"dialect": "german"}, "dialect is 'german': expected one of iso, french, mixed"),
        ({"format": "xlsx"}, "expected one of csv, parquet"),
        ({"compression": "zip"}, "expected one of none, gzip, zstd"),
        ({"dirty_share": -0.1}, "0 or more"),
        ({"update_share": 0.3}, "0.5 at most"),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SamplePlan(**({"rows": 1000} | wrong))


@pytest.mark.parametrize("rows", [1, 7, 1000, 36_000_000])
@pytest.mark.parametrize("months", [1, 5, 24])
def test_months_add_up_to_the_rows(rows: int, months: int) -> None:
    monthly = rows_by_month(SamplePlan(rows=rows, months=months))
    assert len(monthly) == months
    assert sum(monthly) == rows
    assert min(monthly) >= 0


def test_business_grows_and_december_is_the_peak() -> None:
    monthly = rows_by_month(SamplePlan(rows=1_000_000))
    assert monthly[12] > 1.2 * monthly[0]
    assert max(monthly[:12]) == monthly[11]
    assert max(monthly) == monthly[23]


def test_clients_scale_with_rows() -> None:
    counts = [SamplePlan(rows=rows).client_count for rows in (10, 1_000_000, 36_000_000)]
    assert counts == [200, 4_000, 60_000]
    assert SamplePlan(rows=10, clients=3).client_count == 3


def test_month_starts_pass_the_turn_of_the_year() -> None:
    starts = month_starts(SamplePlan(rows=1, start=date(2023, 11, 1), months=3))
    assert starts == [date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)]
    assert add_months(date(2024, 1, 1), -1) == date(2023, 12, 1)


def test_apportion_gives_the_rest_to_the_largest_remainders() -> None:
    assert apportion(np.array([1.0, 1.0, 1.0]), 10).tolist() == [4, 3, 3]
    assert apportion(np.array([3.0, 1.0]), 0).tolist() == [0, 0]


def test_a_wheel_has_slots_in_proportion_to_the_weights() -> None:
    table = wheels(np.array([[1.0, 3.0], [1.0, 0.0]]))
    assert len(table) == 2 * WHEEL_SLOTS
    assert np.bincount(table[:WHEEL_SLOTS]).tolist() == [WHEEL_SLOTS // 4, 3 * WHEEL_SLOTS // 4]
    assert table[WHEEL_SLOTS:].max() == 0


def test_mix_spreads_neighbouring_keys() -> None:
    words = mix(np.arange(10_000))
    assert len(np.unique(words)) == 10_000
    assert abs(float((words % np.uint64(2)).mean()) - 0.5) < 0.03
