"""The floor: an expert's `psql \\copy` of rows that are clean and have their keys already, with the same indexes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.peers.indexes import INDEXES, STREAMS, build_indexes, leaves_of
from bench.peers.target import Target
from bench.server import Server
from partitions.leaves import LEAF_SCHEMA
from warehouse.connection import connect, sql


def two_streams(server: Server, url: str, target: Target) -> None:
    """Two copies at a time into leaves without indexes, then the indexes, two leaves at a time."""
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda path: _copy(server, url, path), target.keyed))
    build_indexes(url, [(LEAF_SCHEMA, path.stem) for path in target.keyed])


def one_stream(server: Server, url: str, target: Target) -> None:
    """One copy after the other into leaves whose indexes are kept up to date meanwhile."""
    for path in target.keyed:
        _copy(server, url, path)


def make_indexes(url: str, target: Target) -> None:
    """The indexes of leaves that have no rows yet."""
    with connect(url) as connection:
        for leaf in leaves_of(url):
            for statement in INDEXES:
                connection.execute(sql.SQL(statement).format(sql.Identifier(*leaf)))


def _copy(server: Server, url: str, path: Path) -> None:
    server.run_psql(url, f"\\copy {LEAF_SCHEMA}.{path.stem} from '{path}' (format csv)")
