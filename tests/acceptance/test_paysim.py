"""The example of `examples/paysim` on the real file, where that stands beside the checkout."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.loading import load, rows_of, value_of

CHECKOUT = Path(__file__).resolve().parents[2]
MAPPING = CHECKOUT / "examples" / "paysim" / "feeds.toml"
PAYSIM = CHECKOUT.parent / "shared" / "data" / "paysim_first_120_hours.csv.zst"

ROWS, FRAUDS = 1_018_856, 222

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not PAYSIM.exists(), reason="the PaySim file is not beside the checkout"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / PAYSIM.name).symlink_to(PAYSIM)
    shutil.copy(MAPPING, tmp_path)
    return tmp_path


def cents_by_action() -> dict[str, tuple[int, int]]:
    """Rows and cents of each action, read without Cauri and without floating point."""
    text = pl.read_csv(PAYSIM, columns=["action", "amount"], infer_schema=False)
    cents = pl.col("amount").cast(pl.Decimal(20, 2)).to_physical().cast(pl.Int64)
    found = text.group_by("action").agg(pl.len(), cents.sum())
    return {action: (rows, total) for action, rows, total in found.iter_rows()}


def test_every_row_and_every_cent_arrives(database_url: str, folder: Path) -> None:
    summary = load(folder, database_url)

    feeds = summary.to_json()["feeds"]
    for feed in ("transactions", "fraud_labels"):
        assert (feeds[feed]["read"], feeds[feed]["loaded"], feeds[feed]["rejected"]) == (ROWS, ROWS, 0)
    stored = rows_of(
        database_url,
        "SELECT service_id, count(*), sum(amount_minor)::bigint FROM dwh.fact_transactions"
        " JOIN dwh.dim_service USING (service_key) GROUP BY service_id",
    )
    assert {service: (rows, total) for service, rows, total in stored} == cents_by_action()
    labelled = "SELECT count(*) FROM ml.fraud_label JOIN dwh.fact_transactions USING (transaction_id) WHERE is_fraud"
    assert value_of(database_url, labelled) == FRAUDS

    # The mapping named on the command line is the one that lies beside the file: the same work, done already.
    assert load(PAYSIM.parent, database_url, mapping=MAPPING).status == "nothing"
