"""The cells of the daily summary against the plainest way to compute them."""

from collections import defaultdict
from itertools import product
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cells import CELL, cells

SCHEMA: dict[str, type[pl.DataType]] = {
    "date_key": pl.Int32,
    "currency_key": pl.Int16,
    "client_key": pl.Int32,
    "service_key": pl.Int16,
    "client_durable_key": pl.Int32,
    "amount_minor": pl.Int64,
    "commission_minor": pl.Int64,
    "processing_ms": pl.Int32,
    "beneficiary_key": pl.Int32,
    "anomaly_flags": pl.Int32,
    "status_key": pl.Int16,
}
FACT = st.fixed_dictionaries(
    {
        "date_key": st.sampled_from([20240131, 20240201, 20991231]),
        "currency_key": st.sampled_from([0, 1, 2**15 - 1]),
        "client_key": st.sampled_from([1, 2, 2**31 - 1]),
        "service_key": st.sampled_from([-1, 0, 2**15 - 1]),
        "amount_minor": st.integers(-(2**40), 2**40),
        "commission_minor": st.integers(-(2**40), 2**40),
        "processing_ms": st.none() | st.integers(0, 2**31 - 1),
        "beneficiary_key": st.sampled_from([0, 1, 2, 2**31 - 1]),
        "anomaly_flags": st.integers(0, 31),
        "status_key": st.integers(0, 4),
    }
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{**row, "client_durable_key": row["client_key"] // 2} for row in rows], schema=SCHEMA)


def expected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[int, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in CELL)].append(row)
    return [_cell(key, groups[key]) for key in sorted(groups)]


def _cell(key: tuple[int, ...], rows: list[dict[str, Any]]) -> dict[str, Any]:
    by_status = [[row for row in rows if row["status_key"] == status] for status in range(5)]
    times = [row["processing_ms"] for row in rows if row["processing_ms"] is not None]
    return {
        **dict(zip(CELL, key, strict=True)),
        "client_durable_key": key[CELL.index("client_key")] // 2,
        "amount_minor": sum(row["amount_minor"] for row in rows),
        "success_amount_minor": sum(row["amount_minor"] for row in by_status[1]),
        "commission_minor": sum(row["commission_minor"] for row in by_status[1]),
        "processing_ms_sum": sum(times),
        "transactions": len(rows),
        "successes": len(by_status[1]),
        "failures": len(by_status[2]),
        "pendings": len(by_status[3]),
        "reversals": len(by_status[4]),
        "processing_ms_count": len(times),
        "distinct_beneficiaries": len({row["beneficiary_key"] for row in rows} - {0}),
        "anomalies": sum(row["anomaly_flags"] != 0 for row in rows),
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(FACT, max_size=40))
def test_cells_are_what_their_rows_give(rows: list[dict[str, Any]]) -> None:
    assert cells(frame(rows)).to_dicts() == expected(rows)


def test_the_widest_keys_pass_64_bits_together_and_are_told_apart_all_the_same() -> None:
    fact = {"amount_minor": 1, "commission_minor": 0, "processing_ms": 0, "beneficiary_key": 1, "anomaly_flags": 0}
    rows = [
        {**fact, **dict(zip(CELL, keys, strict=True)), "status_key": 1}
        for keys in product(*(_ends(SCHEMA[name]) for name in CELL))
    ]
    found = cells(frame(rows * 2))
    assert found.height == 16
    assert found.to_dicts() == expected(rows * 2)


def _ends(kind: Any) -> tuple[int, int]:
    return (-(2**15), 2**15 - 1) if kind == pl.Int16 else (-(2**31), 2**31 - 1)


@pytest.mark.parametrize("parts", [1, 3])
def test_rows_in_several_chunks_count_alike(parts: int) -> None:
    fact = {name: 1 for name in SCHEMA if name != "client_durable_key"}
    whole = pl.concat([frame([fact])] * parts, rechunk=False)
    assert cells(whole)["transactions"].to_list() == [parts]
