"""The floor: an expert's `psql \\copy` of rows that are clean and have their keys already, with the same indexes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.peers.indexes import INDEXES, STREAMS, build_indexes
from bench.peers.target import Target
from bench.server import Server
from warehouse.connection import connect, sql


def two_streams(server: Server, url: str, target: Target) -> None:
    """Two copies at a time into tables without indexes, then the indexes, two tables at a time."""
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda path: _copy(server, url, path), target.keyed))
    build_indexes(url, [("public", path.stem) for path in target.keyed])


def one_stream(server: Server, url: str, target: Target) -> None:
    """One copy after the other into tables whose indexes are kept up to date meanwhile."""
    for path in target.keyed:
        _copy(server, url, path)


def make_tables(url: str, target: Target) -> None:
    """A table for each leaf, outside of the warehouse's."""
    with connect(url) as connection:
        for table in _tables(target.keyed):
            connection.execute(sql.SQL("CREATE TABLE {} (LIKE dwh.fact_transactions INCLUDING DEFAULTS)").format(table))


def make_indexed_tables(url: str, target: Target) -> None:
    """The same, with their indexes."""
    make_tables(url, target)
    with connect(url) as connection:
        for table in _tables(target.keyed):
            for statement in INDEXES:
                connection.execute(sql.SQL(statement).format(table))


def _tables(paths: Sequence[Path]) -> list[sql.Identifier]:
    return [sql.Identifier("public", path.stem) for path in paths]


def _copy(server: Server, url: str, path: Path) -> None:
    server.run_psql(url, f"\\copy public.{path.stem} from '{path}' (format csv)")
