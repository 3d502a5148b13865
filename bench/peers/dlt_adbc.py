# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "adbc-driver-postgresql==1.13.0",
#   "dlt[postgres,parquet]==1.31.0",
#   "polars==2.1.0",
#   "psycopg[binary]==3.3.9",
#   "pyarrow==26.0.1",
# ]
# ///
"""dlt: keyed rows from Polars, its Parquet files, its ADBC path; then the indexes.

It fills a table of its own, without leaves.
"""

import os
import sys
import tempfile
from pathlib import Path

import dlt
from psycopg.conninfo import conninfo_to_dict

from bench.peers.frames import keyed_rows
from bench.peers.indexes import build_indexes


def main(url: str, folder: Path) -> None:
    """Load a folder."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    parts = conninfo_to_dict(url)
    # dlt insists on a host; for libpq that of the query, which may be a socket's folder, counts.
    credentials = {
        "drivername": "postgresql",
        "database": str(parts["dbname"]),
        "username": str(parts["user"]),
        "password": "",
        "host": "localhost",
        "query": {name: str(parts[name]) for name in ("host", "port") if name in parts},
    }
    with tempfile.TemporaryDirectory() as work:
        pipeline = dlt.pipeline(
            "peer", destination=dlt.destinations.postgres(credentials), dataset_name="dlt_peer", pipelines_dir=work
        )
        rows = keyed_rows(url, folder).to_arrow()
        pipeline.run(rows, table_name="fact_transactions", loader_file_format="parquet").raise_on_failed_jobs()
    build_indexes(url, [("dlt_peer", "fact_transactions")])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
