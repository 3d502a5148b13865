"""Fraud labels: for one transaction the latest report wins."""

from pathlib import Path
from typing import Any

import pytest

from tests.loading import load, rows_of, write_feed

MONDAY, TUESDAY = "2024-02-05T00:00:00Z", "2024-02-06T00:00:00Z"


def label(is_fraud: int, reported_at: str, number: int = 1) -> dict[str, Any]:
    return {"transaction_id": f"T{number}", "is_fraud": is_fraud, "reported_at": reported_at}


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, int], bool]] = {
    "the same again": ([label(1, MONDAY)], {"repeated": 1}, True),
    "later": ([label(0, TUESDAY)], {"updated": 1}, False),
    "later and the same": ([label(1, TUESDAY)], {"updated": 1}, True),
    "earlier": ([label(0, "2024-02-01T00:00:00Z")], {"repeated": 1}, True),
    "the contrary at the same moment": ([label(0, MONDAY)], {"rejected": 1}, True),
    "later twice": ([label(0, TUESDAY), label(1, "2024-02-07T00:00:00Z")], {"updated": 2}, True),
    "later, out of order": ([label(1, "2024-02-07T00:00:00Z"), label(0, TUESDAY)], {"updated": 1, "repeated": 1}, True),
}


@pytest.mark.parametrize(("rows", "expected", "stays"), CASES.values(), ids=CASES)
def test_what_becomes_of_a_report(
    database_url: str, tmp_path: Path, rows: list[dict[str, Any]], expected: dict[str, int], stays: bool
) -> None:
    write_feed(tmp_path / "1", "fraud_labels", [label(1, MONDAY), label(0, MONDAY, 2)])
    write_feed(tmp_path / "2", "fraud_labels", [*rows, label(1, MONDAY, 3)])
    load(tmp_path / "1", database_url)
    counts = load(tmp_path / "2", database_url).feeds["fraud_labels"]
    names = ("loaded", "updated", "repeated", "rejected")
    assert {name: counts[name] for name in names if counts[name]} == {"loaded": 1, **expected}
    assert rows_of(database_url, "SELECT transaction_id, is_fraud FROM ml.fraud_label ORDER BY 1") == [
        ("T1", stays),
        ("T2", False),
        ("T3", True),
    ]
    refused = rows_of(database_url, "SELECT feed, row_number, reasons FROM ops.quarantine")
    assert refused == [("fraud_labels", 1, ["conflicting_duplicate"])] * expected.get("rejected", 0)


def test_the_first_reports_of_a_warehouse_are_judged_among_themselves(database_url: str, tmp_path: Path) -> None:
    several = [label(1, MONDAY), label(0, TUESDAY), label(1, MONDAY, 2), label(1, MONDAY, 2)]
    write_feed(tmp_path, "fraud_labels", [*several, label(1, MONDAY, 3), label(0, MONDAY, 3), label(0, MONDAY, 4)])
    counts = load(tmp_path, database_url).feeds["fraud_labels"]
    assert {name: counts[name] for name in ("read", "loaded", "updated", "repeated", "rejected")} == {
        "read": 7,
        "loaded": 4,
        "updated": 1,
        "repeated": 1,
        "rejected": 1,
    }
    assert rows_of(database_url, "SELECT transaction_id, is_fraud, load_id FROM ml.fraud_label ORDER BY 1") == [
        ("T1", False, 1),
        ("T2", True, 1),
        ("T3", True, 1),
        ("T4", False, 1),
    ]
