"""Leaves full of values that are easily lost, for the tests of archive and restore."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from partitions.archive_ledger import entries
from partitions.catalog import Leaf, read_catalog
from partitions.grain import Grain
from partitions.leaves import attach, attached, create_aside, index_and_analyse
from partitions.policy import Policy, read_policies
from partitions.restore import Wanted
from warehouse.connection import Connection, sql

POLICIES: dict[str, Policy] = {policy.name: policy for policy in read_policies()}
FACTS, SUMMARY = "dwh.fact_transactions", "dwh.fact_daily_client_summary"
SCORES, LOG = "ml.fraud_score", "audit.access_log"
JANUARY = Grain.MONTH.span_of(date(2024, 1, 1))
ZONE = "Africa/Abidjan"
HOLD = date(2099, 1, 1)

_BIGGEST, _LEAST = 2**63 - 1, -(2**63)
_TEXT = "a'b\"c\\d\t\n, {}NULL é 🐚"

# Two rows a table, the first with the extremes; columns that are not named are filled by `_filled`.
ROWS: dict[str, list[dict[str, Any]]] = {
    FACTS: [
        {"amount_minor": _BIGGEST, "commission_minor": _LEAST, "date_key": 20240101, "processing_ms": None,
         "transaction_ts": "infinity", "source_updated_at": "-infinity", "time_key": -32768, "transaction_id": _TEXT},
        {"amount_minor": _BIGGEST, "date_key": 20240131, "processing_ms": 2**31 - 1, "transaction_id": "",
         "transaction_ts": "2024-01-31 23:59:59.999999+00", "source_updated_at": "0001-01-01 00:00:00+00 BC"},
    ],
    SUMMARY: [
        {"date_key": 20240101, "amount_minor": _BIGGEST, "success_amount_minor": _LEAST, "client_key": -(2**31)},
        {"date_key": 20240115, "processing_ms_sum": _BIGGEST, "service_key": 32767},
    ],
    SCORES: [
        {"date_key": 20240101, "fraud_score": 5e-324, "reasons": ["", "null", _TEXT], "band": "block",
         "scored_at": "2024-02-01 00:00:00.000001+00"},
        {"date_key": 20240102, "fraud_score": 0.1 + 0.2, "reasons": [], "band": "allow", "transaction_id": "y"},
    ],
    LOG: [
        {"access_id": _BIGGEST, "accessed_at": "2024-01-01 00:00:00+00", "client_ref": b"\x00\xff\\", "who": _TEXT},
        {"access_id": 1, "accessed_at": "2024-01-31 23:59:59.999999+00", "client_ref": None, "object": ""},
    ],
}  # fmt: skip
_FILLED = {
    "timestamp with time zone": "2024-01-05 10:00:00.000001+00",
    "text": "x",
    "integer": 7,
    "bigint": 7,
    "smallint": 7,
}


def new_leaf(connection: Connection, policy: Policy, rows: list[dict[str, Any]] | None = None) -> Leaf:
    """An attached leaf for January with these rows, by default those of `ROWS`."""
    with connection.transaction():
        create_aside(connection, policy, JANUARY, ZONE)
        index_and_analyse(connection, policy, JANUARY)
    attach(connection, [(policy, JANUARY)], ZONE)
    for row in ROWS[policy.name] if rows is None else rows:
        insert(connection, attached(policy, JANUARY), row)
    return leaf_of(connection, policy)


def insert(connection: Connection, table: sql.Identifier, row: Mapping[str, Any]) -> None:
    """A row; what it does not name gets a value that its column takes."""
    types = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped", (table.as_string(),)
    ).fetchall()  # fmt: skip
    values = {name: row[name] if name in row else _FILLED.get(kind) for name, kind in types}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            table,
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Literal, values.values())),
        )
    )


def leaf_of(connection: Connection, policy: Policy) -> Leaf:
    """The leaf for January, attached or detached."""
    table = read_catalog(connection, [policy], ZONE).tables[policy.name]
    return next(leaf for leaf in (*table.leaves, *table.orphans) if leaf.span == JANUARY)


def detach(connection: Connection, policy: Policy) -> Leaf:
    """The leaf for January, detached."""
    parent = sql.Identifier(policy.table_schema, policy.table)
    connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(parent, attached(policy, JANUARY)))
    return leaf_of(connection, policy)


def content(connection: Connection, policy: Policy) -> list[Any]:
    """The rows of the parent as text, every bit of them."""
    connection.execute("SET extra_float_digits = 3")
    parent = sql.Identifier(policy.table_schema, policy.table)
    rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(parent)).fetchall()
    return sorted(text for (text,) in rows)


def wanted(connection: Connection, policy: Policy) -> Wanted:
    """The only archive of the leaf for January."""
    found = [entry.archive for entry in entries(connection, policy.name, JANUARY.leaf_of(policy.name))]
    return Wanted(policy, tuple(found))


def states(connection: Connection) -> list[str]:
    """The states of all archives."""
    return [entry.state for entry in entries(connection)]


def files(folder: Path) -> Iterator[str]:
    """Endings of all files below a folder, hidden ones too."""
    return iter(sorted(path.suffix for path in folder.rglob("*") if path.is_file()))
