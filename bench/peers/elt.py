"""ELT in SQL: raw text to an unlogged table, one `INSERT ... SELECT` that checks and joins, then the indexes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.peers.indexes import STREAMS, build_indexes, index_summary, leaves_of
from bench.peers.target import Target
from bench.server import Server

HERE = Path(__file__).parent


def in_sql(server: Server, url: str, target: Target) -> None:
    """Stage in two streams, transform in one statement, index in two streams."""
    server.run_psql(url, (HERE / "elt_stage.sql").read_text())
    paths = sorted(target.source.glob("transactions_*.csv"))
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda path: server.run_psql(url, f"\\copy peers.raw from '{path}' (format csv, header)"), paths))
    server.run_psql(url, (HERE / "elt.sql").read_text())
    build_indexes(url, leaves_of(url))


def in_sql_with_summary(server: Server, url: str, target: Target) -> None:
    """The same, and the daily summary by another statement."""
    in_sql(server, url, target)
    server.run_psql(url, (HERE / "elt_summary.sql").read_text())
    index_summary(url)
