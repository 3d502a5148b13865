# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "psycopg[binary]==3.3.9",
#   "pygrametl==2.9",
# ]
# ///
"""pygrametl as documented: client versions by its own `lookupasof`; and the daily summary beside the facts."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from pygrametl.tables import SlowlyChangingDimension

from bench.peers.cells import CELL, COUNTS, SUCCESS, SUMS
from bench.peers.indexes import build_indexes, index_summary, leaves_of
from bench.peers.pygrametl_bulk import COLUMNS, Row, bulk_table, connected, keyed_rows

SUMMARY_COLUMNS = [*CELL, "client_durable_key", *SUMS, "distinct_beneficiaries"]


def main(url: str, folder: Path) -> None:
    """Load a folder."""
    connection, wrapper = connected(url)
    # For this peer alone: no other looks clients up one at a time.
    connection.execute("CREATE INDEX ON peers.client (client_id, valid_from)")
    facts = bulk_table(connection, "dwh.fact_transactions", COLUMNS)
    cells = _Cells()
    for row in keyed_rows(connection, folder, _client_key_of()):
        facts.insert(row)
        cells.add(row)
    durable: dict[int, int] = dict(connection.execute("SELECT client_key, durable_key FROM peers.client").fetchall())
    summary = bulk_table(connection, "dwh.fact_daily_client_summary", SUMMARY_COLUMNS)
    for row in cells.rows(durable):
        summary.insert(row)
    wrapper.commit()
    wrapper.close()
    build_indexes(url, leaves_of(url))
    index_summary(url)


def _client_key_of() -> Callable[[Row], int]:
    attributes = ["client_id", "durable_key", "valid_from", "valid_to"]
    clients = SlowlyChangingDimension(
        "peers.client", "client_key", attributes, ["client_id"], fromatt="valid_from", toatt="valid_to"
    )

    def key_of(row: Row) -> int:
        key: int = clients.lookupasof(row, row["transaction_ts"], (True, False))
        return key

    return key_of


class _Cells:
    def __init__(self) -> None:
        self._sums: dict[tuple[int, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMS, 0))
        self._beneficiaries: dict[tuple[int, ...], set[int]] = defaultdict(set)

    def add(self, row: Row) -> None:
        cell = tuple(row[name] for name in CELL)
        _add(self._sums[cell], row)
        self._beneficiaries[cell].add(row["beneficiary_key"])

    def rows(self, durable_keys: dict[int, int]) -> Iterator[Row]:
        for cell, sums in self._sums.items():
            row: Row = dict(zip(CELL, cell, strict=True))
            row["client_durable_key"] = durable_keys[row["client_key"]]
            row["distinct_beneficiaries"] = len(self._beneficiaries[cell] - {0})
            yield row | sums


def _add(sums: dict[str, int], row: Row) -> None:
    sums["amount_minor"] += row["amount_minor"]
    if row["status_key"] == SUCCESS:
        sums["success_amount_minor"] += row["amount_minor"]
        sums["commission_minor"] += row["commission_minor"]
    if row["processing_ms"] is not None:
        sums["processing_ms_sum"] += row["processing_ms"]
        sums["processing_ms_count"] += 1
    sums["transactions"] += 1
    sums[COUNTS[row["status_key"]]] += 1
    sums["anomalies"] += row["anomaly_flags"] != 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
