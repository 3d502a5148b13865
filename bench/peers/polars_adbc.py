# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "adbc-driver-postgresql==1.13.0",
#   "polars==2.1.0",
#   "psycopg[binary]==3.3.9",
#   "pyarrow==26.0.1",
# ]
# ///
"""Polars `write_database` by ADBC into the partitioned table, then the indexes."""

import sys
from pathlib import Path

from bench.peers.frames import keyed_rows
from bench.peers.indexes import build_indexes, leaves_of


def main(url: str, folder: Path) -> None:
    """Load a folder."""
    rows = keyed_rows(url, folder)
    rows.write_database("dwh.fact_transactions", url, if_table_exists="append", engine="adbc")
    build_indexes(url, leaves_of(url))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
