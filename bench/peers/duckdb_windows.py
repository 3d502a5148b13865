# /// script
# requires-python = ">=3.11"
# dependencies = ["duckdb==1.4.4"]
# ///
"""DuckDB computes the windows of bench/windows.py from the same file; its seconds are those of the statement alone."""

import json
import sys
import time
from pathlib import Path

import duckdb

STATEMENT = Path(__file__).with_suffix(".sql")


def main(source: Path, result: Path) -> None:
    """Compute, write the result, say how long the computing took."""
    connection = duckdb.connect()
    connection.execute(f"SET VARIABLE source = '{source}'")
    wall, core = time.perf_counter(), time.process_time()
    connection.execute(STATEMENT.read_text())
    seconds = {"seconds": time.perf_counter() - wall, "core_seconds": time.process_time() - core}
    connection.execute(
        f"COPY (SELECT * REPLACE (sum_1d::BIGINT AS sum_1d, sum_7d::BIGINT AS sum_7d, sum_30d::BIGINT AS sum_30d)"
        f" FROM found) TO '{result}' (FORMAT parquet)"
    )
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
