# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "psycopg[binary]==3.3.9",
#   "pygrametl==2.9",
# ]
# ///
"""pygrametl: prefilled CachedDimensions, a row at a time, and its BulkFactTable by COPY; then the indexes.

Client versions are looked up in a dictionary: its own `lookupasof` asks the database once a row.
"""

import csv
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from pygrametl import ConnectionWrapper
from pygrametl.tables import BulkFactTable, CachedDimension

from bench.peers.indexes import build_indexes, leaves_of

DIMENSIONS = {
    "location": ("location_key", "location_code"),
    "beneficiary": ("beneficiary_key", "beneficiary_id"),
    "channel": ("channel_key", "channel_code"),
    "status": ("status_key", "status"),
}
COLUMNS = [
    "transaction_ts",
    "source_updated_at",
    "amount_minor",
    "commission_minor",
    "date_key",
    "client_key",
    "location_key",
    "beneficiary_key",
    "processing_ms",
    "anomaly_flags",
    "load_id",
    "time_key",
    "service_key",
    "channel_key",
    "currency_key",
    "status_key",
    "transaction_id",
]
Row = dict[str, Any]


def main(url: str, folder: Path) -> None:
    """Load a folder."""
    connection, wrapper = connected(url)
    clients = _Clients(connection)
    facts = bulk_table(connection, "dwh.fact_transactions", COLUMNS)
    for row in keyed_rows(connection, folder, clients.key_of):
        facts.insert(row)
    wrapper.commit()
    wrapper.close()
    build_indexes(url, leaves_of(url))


def connected(url: str) -> tuple[psycopg.Connection, ConnectionWrapper]:
    """A connection, and pygrametl's wrapper of it, which its tables use by default."""
    connection = psycopg.connect(url)
    wrapper = ConnectionWrapper(connection, paramstyle="pyformat")
    wrapper.setasdefault()
    return connection, wrapper


def bulk_table(connection: psycopg.Connection, name: str, columns: list[str]) -> BulkFactTable:
    """A table that is filled by COPY."""
    return BulkFactTable(name, columns, [], _loader(connection), nullsubst="\\N", encoding="utf-8")


def keyed_rows(connection: psycopg.Connection, folder: Path, client_key_of: Callable[[Row], int]) -> Iterator[Row]:
    """The rows of a folder as facts: checked, in their newest version, with all keys and measures."""
    dimensions = {
        key: CachedDimension(f"peers.{table}", key, [name], prefill=True, size=-1, defaultidvalue=0)
        for table, (key, name) in DIMENSIONS.items()
    }
    services = {name: (key, rate, active) for name, key, rate, active in _rows(connection, _SERVICES)}
    currencies = {name: (key, units) for name, key, units in _rows(connection, _CURRENCIES)}
    for row in _newest(folder):
        if row["service_id"] not in services or row["currency"] not in currencies or not row["client_id"]:
            continue
        for key, dimension in dimensions.items():
            row[key] = dimension.lookup(row)
        row["client_key"] = client_key_of(row)
        _measure(row, services[row["service_id"]], currencies[row["currency"]])
        yield row


_SERVICES = "SELECT service_id, service_key, rate, is_active FROM peers.service"
_CURRENCIES = "SELECT currency, currency_key, units FROM peers.currency"


class _Clients:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._begins: dict[str, list[datetime]] = defaultdict(list)
        self._keys: dict[str, list[int]] = defaultdict(list)
        versions = _rows(connection, "SELECT client_id, valid_from, client_key FROM peers.client ORDER BY 1, 2")
        for name, begin, key in versions:
            self._begins[name].append(begin)
            self._keys[name].append(key)

    def key_of(self, row: Row) -> int:
        name = row["client_id"]
        return self._keys[name][bisect_right(self._begins[name], row["transaction_ts"]) - 1]


def _newest(folder: Path) -> Iterable[Row]:
    found: dict[str, Row] = {}
    for row in _read(folder):
        known = found.get(row["transaction_id"])
        if known is None or row["source_updated_at"] > known["source_updated_at"]:
            found[row["transaction_id"]] = row
    return found.values()


def _read(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("transactions_*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    row["transaction_ts"] = _moment(row["transaction_ts"])
                    row["source_updated_at"] = (
                        _moment(row["updated_at"]) if row["updated_at"] else row["transaction_ts"]
                    )
                    row["amount"] = float(row["amount"])
                    row["commission"] = float(row["commission"]) if row["commission"] else None
                    row["processing_ms"] = int(row["processing_ms"]) if row["processing_ms"] else None
                except ValueError:
                    continue
                yield row


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _measure(row: Row, service: tuple[int, float, bool], currency: tuple[int, int]) -> None:
    key, rate, active = service
    row["service_key"], row["currency_key"] = key, currency[0]
    row["amount_minor"] = amount = round(row["amount"] * currency[1])
    commission = row["commission"]
    row["commission_minor"] = minor = 0 if commission is None else round(commission * currency[1])
    moment: datetime = row["transaction_ts"]
    row["date_key"] = moment.year * 10_000 + moment.month * 100 + moment.day
    row["time_key"] = moment.hour * 60 + moment.minute
    row["anomaly_flags"] = (
        (commission is not None and abs(minor - amount * rate / 100) > 1)
        + (amount == 0) * 2
        + (row["processing_ms"] is not None and row["processing_ms"] > 60_000) * 4
        + (not active) * 8
        + (row["source_updated_at"] < moment) * 16
    )
    row["load_id"] = 1


def _loader(connection: psycopg.Connection) -> Any:
    def load(name: str, columns: list[str], _field: str, _row: str, _null: str, file: IO[bytes]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*name.split(".")), names)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            while block := file.read(1 << 20):
                copy.write(block)

    return load


def _rows(connection: psycopg.Connection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
