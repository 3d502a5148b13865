"""Rows packed for the page come out as they went in; what unfolds them here says no more than assets/rows.js does."""

import base64
import gzip
import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.report.packing import packed
from dashboards.report.reading import UNIT
from dashboards.specification import specification

COLUMNS = specification().columns


def unfolded(text: str) -> dict[str, dict[str, list[Any]]]:
    line, _, rest = gzip.decompress(base64.b64decode(text)).partition(b"\n")
    found: dict[str, dict[str, list[Any]]] = {}
    for view, table in json.loads(line).items():
        found[view] = {}
        for head in table["columns"]:
            size = table["rows"] * head["width"]
            found[view][head["name"]] = list(column(head, table["rows"], rest[:size]))
            rest = rest[size:]
    assert rest == b""
    return found


def column(head: dict[str, Any], rows: int, body: bytes) -> list[Any]:
    planes = np.frombuffer(body, np.uint8).reshape(head["width"], rows)
    values = [sum(int(plane[row]) << 8 * place for place, plane in enumerate(planes)) for row in range(rows)]
    gaps = head.get("gaps", False)
    numbers = [None if gaps and value == 0 else value + head.get("least", 0) - gaps for value in values]
    if "words" in head:
        return [None if one is None else head["words"][one] for one in numbers]
    return [None if one is None else one / head.get("scale", 1) for one in numbers]


def test_each_type_comes_back() -> None:
    days = [date(2024, 2, 28) + timedelta(days=one) for one in range(3)]
    frame = pl.DataFrame(
        {
            "full_date": days,
            "country_code": ["SN", None, "CI"],
            "transactions": [70_000, 0, 255],
            "success_amount": [125_500 * UNIT, 0, None],
            "highest_score": [9_981, None, 1],
            "last_alert_on": [None, None, None],
        },
        schema_overrides={"last_alert_on": pl.Date},
    )
    found = unfolded(packed({"some_view": frame}, COLUMNS))["some_view"]
    epoch = date(1970, 1, 1)
    assert found == {
        "full_date": [(day - epoch).days for day in days],
        "country_code": ["SN", None, "CI"],
        "transactions": [70_000, 0, 255],
        "success_amount": [125_500, 0, None],
        "highest_score": [0.9981, None, 0.0001],
        "last_alert_on": [None, None, None],
    }


@given(st.lists(st.one_of(st.none(), st.integers(-(2**45), 2**45))))
def test_any_amount_comes_back(amounts: list[int | None]) -> None:
    frame = pl.DataFrame({"success_amount": amounts}, schema={"success_amount": pl.Int64})
    found = unfolded(packed({"some_view": frame}, COLUMNS))["some_view"]["success_amount"]
    assert found == [None if one is None else pytest.approx(one / UNIT, rel=1e-15) for one in amounts]


def test_no_rows_are_packed_too() -> None:
    frame = pl.DataFrame(schema={"full_date": pl.Date, "country_code": pl.String, "transactions": pl.Int64})
    found = unfolded(packed({"some_view": frame}, COLUMNS))
    assert found == {"some_view": {"full_date": [], "country_code": [], "transactions": []}}


def test_the_same_rows_give_the_same_text() -> None:
    frame = pl.DataFrame({"transactions": [3, 1, 2]})
    assert packed({"some_view": frame}, COLUMNS) == packed({"some_view": frame}, COLUMNS)
