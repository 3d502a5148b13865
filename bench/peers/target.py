"""The target of the peers: a database with dimensions and empty leaves, and what must be in them at the end."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from bench.bill import KEYRING
from bench.peers.indexes import FACTS, SUMMARY, leaves_of
from bench.server import Server
from bench.trees import THIS
from engine.facts import FACT_COLUMNS
from engine.pseudonyms import pseudonyms
from warehouse.connection import Connection, connect, sql
from warehouse.copy import copy_frame
from warehouse.snapshot import read_frame

KEYS = Path(__file__).parent / "keys.sql"
# All that a row says; the number of the run that wrote it is not part of that.
DIGESTED = [name for name in FACT_COLUMNS if name != "load_id"]
LONG_AGO, LAST = pl.datetime(1900, 1, 1, time_zone="UTC"), pl.datetime(9999, 12, 31, time_zone="UTC")


@dataclass(frozen=True)
class Target:
    """`template` is what each peer gets a copy of, `keyed` the final rows as CSV, a file a leaf, the largest first.

    `digest` is that of the facts, `summarised` that of the daily summary.
    """

    source: Path
    rows: int
    template: str
    keyed: tuple[Path, ...]
    digest: str
    summarised: str

    def copy(self, server: Server) -> str:
        """The URL of a fresh copy, in which a peer may write."""
        return server.fresh("bench_peer", self.template)


def prepare(server: Server, folder: Path, name: str, *, named: bool = True) -> Target:
    """Load a folder, keep its final rows and their digest, and empty the leaves.

    With `named`, identifiers get tables beside their keys, for which the folder must be a sample in CSV.
    """
    url = server.fresh(f"bench_target_{name}")
    rows = THIS.load(url, folder)["feeds"]["transactions"]["read"]
    keyed = _export(server, url, server.folder / "keyed" / name)
    digest, summarised = digest_of(url, [FACTS]), summary_digest_of(url)
    with connect(url) as connection:
        if named:
            connection.execute(_text(KEYS))
            _name_clients(connection, url, folder)
            _name_beneficiaries(connection, url, folder)
        _empty(connection, url)
    return Target(folder, rows, f"bench_target_{name}", keyed, digest, summarised)


def digest_of(url: str, tables: Sequence[str]) -> str:
    """Number of rows of fact tables and a sum over their hashes: equal if they hold the same rows in any order."""
    columns = sql.SQL(", ").join(map(sql.Identifier, DIGESTED))
    return _digest_of(url, [_selected(columns, table) for table in tables])


def summary_digest_of(url: str) -> str:
    """The same of the daily summary, with all its columns."""
    return _digest_of(url, [_selected(sql.SQL("*"), SUMMARY)])


def _selected(columns: sql.Composable, table: str) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(*table.split(".")))


def _digest_of(url: str, selections: Sequence[sql.Composed]) -> str:
    rows = sql.SQL(" UNION ALL ").join(selections)
    statement = sql.SQL("SELECT count(*), sum(hashtextextended(t::text, 0))::text FROM ({}) AS t").format(rows)
    with connect(url) as connection:
        count, total = connection.execute(statement).fetchone() or (0, "")
    return f"{count} rows {total}"


def _export(server: Server, url: str, folder: Path) -> tuple[Path, ...]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = []
    for schema, leaf in leaves_of(url):
        paths.append(folder / f"{leaf}.csv")
        server.run_psql(url, f"\\copy {schema}.{leaf} to '{paths[-1]}' (format csv)")
    return tuple(sorted(paths, key=lambda path: -path.stat().st_size))


def _name_clients(connection: Connection, url: str, folder: Path) -> None:
    versions = read_frame(url, "SELECT client_ref AS ref, client_key, durable_key, valid_from FROM dwh.dim_client")
    named = _pseudonyms(folder, "client_id", "client").join(versions, on="ref").sort("client_id", "valid_from")
    first = pl.int_range(pl.len()).over("client_id") == 0
    named = named.with_columns(valid_to=pl.col("valid_from").shift(-1).over("client_id").fill_null(LAST))
    # Facts from before a client's first version belong to that one, as in Cauri.
    named = named.with_columns(valid_from=pl.when(first).then(LONG_AGO).otherwise("valid_from"))
    moments = pl.col("valid_from", "valid_to").cast(pl.Datetime("us", "UTC"))
    copy_frame(
        connection,
        sql.Identifier("peers", "client"),
        named.select("client_id", "client_key", "durable_key", "valid_from", "valid_to").with_columns(moments),
    )


def _name_beneficiaries(connection: Connection, url: str, folder: Path) -> None:
    keys = read_frame(url, "SELECT beneficiary_ref AS ref, beneficiary_key FROM dwh.dim_beneficiary")
    named = _pseudonyms(folder, "beneficiary_id", "beneficiary").join(keys, on="ref")
    copy_frame(connection, sql.Identifier("peers", "beneficiary"), named.select("beneficiary_id", "beneficiary_key"))


def _pseudonyms(folder: Path, column: str, domain: Literal["client", "beneficiary"]) -> pl.DataFrame:
    files = pl.scan_csv(folder / "transactions_*.csv", infer_schema=False)
    values = files.select(pl.col(column).drop_nulls().unique().sort()).collect()[column]
    return pl.DataFrame([values, pseudonyms(values, domain, KEYRING).alias("ref")])


def _empty(connection: Connection, url: str) -> None:
    connection.execute("TRUNCATE dwh.fact_transactions, dwh.fact_daily_client_summary, ops.quarantine")
    connection.execute("DROP INDEX dwh.fact_transactions_date_client, dwh.fact_transactions_service")
    for schema, leaf in [*leaves_of(url), *leaves_of(url, SUMMARY)]:
        for (index,) in connection.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass", (f"{schema}.{leaf}",)
        ).fetchall():
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(*index.split("."))))
    connection.execute("ANALYZE")


def _text(path: Path) -> sql.SQL:
    return sql.SQL(path.read_text())
