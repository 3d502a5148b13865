# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "duckdb==1.4.4",
#   "duckdb-ext-postgres==1.4.4.20260205",
#   "psycopg[binary]==3.3.9",
#   "pytz==2026.6",
# ]
# ///
"""DuckDB reads the files, joins the keys and writes by its postgres extension; then the indexes."""

import importlib.util
import sys
from pathlib import Path

import duckdb

from bench.peers.indexes import build_indexes, leaves_of

STATEMENT = Path(__file__).with_suffix(".sql")


def main(url: str, folder: Path) -> None:
    """Load a folder."""
    found = importlib.util.find_spec("duckdb_ext")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("error: the package duckdb-ext-postgres is not installed")
    connection = duckdb.connect()
    connection.execute("SET extension_directory = ?", [str(Path(found.submodule_search_locations[0]) / "extensions")])
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("LOAD postgres_scanner")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH '{url}' AS pg (TYPE postgres)")
    connection.execute(f"SET VARIABLE files = '{folder}/transactions_*.csv'")
    connection.execute(STATEMENT.read_text())
    connection.close()
    build_indexes(url, leaves_of(url))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
