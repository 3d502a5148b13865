"""The Handbook's features against its definitions: windows (t - w, t], and frauds from seven days after on."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from ml.fraud.handbook import FEATURES, NAMES, handbook_features
from tests.unit.test_features_parity import drawn

DAY = timedelta(days=1)


def defined(rows: list[dict[str, Any]], frauds: set[str], row: dict[str, Any]) -> dict[str, float]:
    """One transaction's features, by reading all others."""
    moment = row["transaction_ts"]
    found = {
        "handbook_amount": row["amount"],
        "handbook_weekend": float(moment.weekday() >= 5),
        "handbook_night": float(moment.hour <= 6),
    }
    for days in (1, 7, 30):
        own = [one["amount"] for one in rows if one["client"] == row["client"]
               and moment - days * DAY < one["transaction_ts"] <= moment]  # fmt: skip
        paid = [one["transaction_id"] in frauds for one in rows if one["beneficiary"] == row["beneficiary"]
                and moment - (7 + days) * DAY < one["transaction_ts"] <= moment - 7 * DAY]  # fmt: skip
        found[f"handbook_client_count_{days}d"] = len(own)
        found[f"handbook_client_mean_{days}d"] = sum(own) / len(own)
        found[f"handbook_beneficiary_count_{days}d"] = len(paid)
        found[f"handbook_beneficiary_risk_{days}d"] = sum(paid) / len(paid) if paid else 0.0
    return found


def test_features_are_those_of_the_handbook() -> None:
    transactions, labels = drawn(11, rows=700, days=60)
    # Without peers: the Handbook counts those that stand before a row, and so depends on their order.
    transactions = transactions.unique(["client", "transaction_ts"], keep="first").filter(
        pl.col("beneficiary").is_not_null()
    )
    found = {row["transaction_id"]: row for row in handbook_features(transactions, labels).iter_rows(named=True)}
    rows = transactions.to_dicts()
    frauds = set(labels.filter("is_fraud")["transaction_id"])
    assert [feature.name for feature in FEATURES] == list(NAMES)
    for row in rows:
        wanted = defined(rows, frauds, row)
        told = {name: found[row["transaction_id"]][name] for name in NAMES}
        assert told == pytest.approx(wanted, rel=1e-9), row["transaction_id"]
