"""Loads within the test's own process, and what a warehouse holds, told without its surrogate keys."""

import base64
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, LiteralString
from unittest import mock

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql
from pydantic import SecretStr

from cli.main import main
from engine import load as load_module
from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.load import Request
from engine.selection import refused_rows
from engine.summary import Summary
from engine.vault import unseal
from sample.generate import generate
from sample.plan import SamplePlan
from warehouse.keyring import Keyring
from warehouse.settings import Settings

PSEUDONYM_KEY = base64.b64encode(b"p" * 32).decode()
VAULT_KEY = base64.b64encode(b"v" * 32).decode()
KEYRING = Keyring(SecretStr(PSEUDONYM_KEY), SecretStr(VAULT_KEY))

# Begins of what identifies somebody in a sample: none of it may leave the vault and the quarantine.
IDENTIFIERS = ("CLI-0", "+225", "+221", "MRC-", "@example.com", "compta.")

Row = tuple[Any, ...]


class InlineExecutor(Executor):
    """Runs each task when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as exc:
            future.set_exception(exc)
        return future


class Silence:
    """A watcher who keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, step: int, name: str, total: int | None) -> None: ...

    def advance(self, step: int, amount: int) -> None: ...

    def end(self, step: int, seconds: float) -> None: ...

    def opened(self, run_id: int, files: Sequence[SourceFile]) -> None: ...

    def say(self, message: str) -> None:
        self.said.append(message)


def session_folder() -> Path:
    return Path(os.environ["CAURI_TEST_SESSION_FOLDER"])


def new_folder(prefix: str) -> Path:
    """A folder that goes with the session."""
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=session_folder()))


@cache
def sample_folder(plan: SamplePlan) -> Path:
    """The files of a plan, written once a process. Tests leave them alone."""
    folder = new_folder("sample") / "feeds"
    generate(plan, folder)
    return folder


def truth_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return document


def settings_for(url: str, home: Path | None = None, **changes: Any) -> Settings:
    values = {"home": home or new_folder("home"), "database_url": SecretStr(url), "workers": 2, **changes}
    return Settings(**values)


def request_for(folder: Path, url: str, **changes: Any) -> Request:
    values: dict[str, Any] = {"settings": settings_for(url), "keyring": KEYRING, **changes}
    return Request(folder, url, **values)


@contextmanager
def inline_executor(_workers: int) -> Iterator[Executor]:
    yield InlineExecutor()


def load(folder: Path, url: str, *, inline: bool = True, watcher: Silence | None = None, **changes: Any) -> Summary:
    """Load a folder; without worker processes unless `inline` is False."""
    request = request_for(folder, url, **changes)
    if not inline:
        return load_module.load(request, watcher or Silence())
    with mock.patch.object(load_module, "leaf_executor", inline_executor):
        return load_module.load(request, watcher or Silence())


def write_feed(folder: Path, name: str, rows: Sequence[Mapping[str, Any]], *, ending: str = "") -> Path:
    """Write `<name><ending>.csv` with the columns that the rows name, in the order of the feed."""
    folder.mkdir(parents=True, exist_ok=True)
    feed = FEEDS[name]
    columns = [column for column in feed.names if any(column in row for row in rows)] or feed.required
    path = folder / f"{name}{ending}.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def transaction(number: int, **changes: Any) -> dict[str, Any]:
    """A valid transaction of 15 January 2024."""
    return {
        "transaction_id": f"T{number}",
        "transaction_ts": "2024-01-15T10:00:00Z",
        "client_id": "C1",
        "service_id": "S1",
        "channel_code": "APP",
        "location_code": "ABJ",
        "beneficiary_id": "+2250701020304",
        "currency": "XOF",
        "amount": "1000",
        "commission": "0",
        "status": "SUCCESS",
        "processing_ms": "500",
        "updated_at": "2024-01-15T10:00:00Z",
        **changes,
    }


def client(name: str, effective_at: str, **changes: Any) -> dict[str, Any]:
    """A valid row of the feed `clients`."""
    return {
        "client_id": name,
        "company_name": f"{name} SA",
        "customer_segment": "CORPORATE",
        "company_size": "SMALL",
        "risk_level": "LOW",
        "sector": "RETAIL",
        "country_code": "CI",
        "city": "Abidjan",
        "kyc_level": "2",
        "effective_at": effective_at,
        **changes,
    }


SERVICE = {"service_id": "S1", "service_name": "Salaries", "category": "PAYROLL", "commission_rate": "0"}


def rows_of(url: str, statement: LiteralString | sql.Composed, *values: Any) -> list[Row]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values or None).fetchall()


def value_of(url: str, statement: LiteralString | sql.Composed, *values: Any) -> Any:
    (row,) = rows_of(url, statement, *values)
    return row[0]


def execute(url: str, statement: LiteralString | sql.Composed, *values: Any) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, values or None)


_FACT: LiteralString = """
SELECT f.transaction_id, f.transaction_ts, f.source_updated_at, f.amount_minor, f.commission_minor, f.date_key,
       f.time_key, f.processing_ms, f.anomaly_flags, c.client_ref, c.valid_from, s.service_id, ch.channel_code,
       l.location_code, b.beneficiary_ref, cu.currency_code, st.status_code
FROM dwh.fact_transactions f
LEFT JOIN dwh.dim_client c USING (client_key) LEFT JOIN dwh.dim_service s USING (service_key)
LEFT JOIN dwh.dim_channel ch USING (channel_key) LEFT JOIN dwh.dim_location l USING (location_key)
LEFT JOIN dwh.dim_beneficiary b USING (beneficiary_key) LEFT JOIN dwh.dim_currency cu USING (currency_key)
LEFT JOIN dwh.dim_status st USING (status_key)
"""
_SUMMARY: LiteralString = """
SELECT f.date_key, c.client_ref, c.valid_from, d.client_ref, s.service_id, cu.currency_code, f.amount_minor,
       f.success_amount_minor, f.commission_minor, f.processing_ms_sum, f.transactions, f.successes, f.failures,
       f.pendings, f.reversals, f.processing_ms_count, f.distinct_beneficiaries, f.anomalies
FROM dwh.fact_daily_client_summary f
LEFT JOIN dwh.dim_client c USING (client_key)
LEFT JOIN dwh.dim_client d ON d.client_key = f.client_durable_key
LEFT JOIN dwh.dim_service s USING (service_key) LEFT JOIN dwh.dim_currency cu USING (currency_key)
"""
_CONTENT: dict[str, LiteralString] = {
    "fact": _FACT,
    "summary": _SUMMARY,
    "kpi": "SELECT * FROM dwh.mv_daily_kpi",
    "client": "SELECT client_ref, client_code, customer_segment, company_size, risk_level, sector, country_code, city,"
    " kyc_level, onboarded_on, valid_from, valid_to, is_current, is_inferred, attribute_hash FROM dwh.dim_client",
    "client_event": "SELECT client_ref, effective_at, updated_at, is_deleted, customer_segment, company_size,"
    " risk_level, sector, country_code, city, kyc_level, onboarded_on FROM ops.client_event",
    "service": "SELECT service_id, service_name, category, commission_rate, is_active FROM dwh.dim_service",
    "channel": "SELECT channel_code, channel_name, is_inferred FROM dwh.dim_channel",
    "location": "SELECT location_code, city, region, country_code, latitude, longitude, is_inferred"
    " FROM dwh.dim_location",
    "beneficiary": "SELECT beneficiary_ref, beneficiary_type, country_code, first_seen_on FROM dwh.dim_beneficiary",
    "label": "SELECT transaction_id, is_fraud, reported_at FROM ml.fraud_label",
    "identity": "SELECT client_ref, as_of FROM vault.client_identity",
    "dirty": "SELECT date_key FROM ops.dirty_range",
}
_BOOKS: dict[str, LiteralString] = {
    "file": "SELECT content_hash, feed, contract, rows_read, rows_loaded, rows_updated, rows_repeated, rows_rejected"
    " FROM ops.file",
    "quarantine": "SELECT content_hash, feed, contract, row_number, reasons, state, attempts FROM ops.quarantine",
    "staging": "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace",
    "leaf": "SELECT relid::regclass::text, level FROM pg_partition_tree('dwh.fact_transactions')"
    " UNION ALL SELECT relid::regclass::text, level FROM pg_partition_tree('dwh.fact_daily_client_summary')",
}


def content(url: str, *, without: Sequence[str] = ()) -> dict[str, str]:
    """Rows and hash of each table, by natural keys: equal if two warehouses say the same of the world."""
    return _digests(url, {name: text for name, text in _CONTENT.items() if name not in without})


def state(url: str) -> dict[str, str]:
    """`content`, and the books: files, quarantine, leaves, staging."""
    return content(url) | _digests(url, _BOOKS)


def sealed(url: str) -> dict[str, str]:
    """What is encrypted, opened: identities, and the refused rows with their values."""
    with psycopg.connect(url) as connection:
        wrapper = AESGCM(KEYRING.vault_bytes("wrap"))
        stored = connection.execute("SELECT client_ref, wrapped_key, identity FROM vault.client_identity").fetchall()
        identities = [unseal(AESGCM(unseal(wrapper, key, ref)), text, ref) for ref, key, text in stored]
        refused = [
            repr((row.file, row.file_name, row.row_number, row.reasons, row.values)).encode()
            for row in refused_rows(connection, KEYRING)
        ]
    return {"identity, opened": _hashed(identities), "quarantine, opened": _hashed(refused)}


def _hashed(texts: list[bytes]) -> str:
    return f"{len(texts)} rows {hashlib.sha256(b'|'.join(sorted(texts))).hexdigest()[:12]}"


def everything(url: str) -> dict[str, str]:
    """Hash of every row of every table of the warehouse, surrogate keys and run numbers included."""
    tables = rows_of(
        url,
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm')"
        " AND n.nspname IN ('dwh', 'dwh_parts', 'staging', 'vault', 'ml', 'audit', 'ops')",
    )
    statement = sql.SQL("SELECT * FROM {}")
    with psycopg.connect(url) as connection:
        return {
            f"{schema}.{name}": _digest(connection, statement.format(sql.Identifier(schema, name)))
            for schema, name in tables
        }


def _digests(url: str, statements: Mapping[str, LiteralString]) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        return {name: _digest(connection, sql.SQL(text)) for name, text in statements.items()}


def _digest(connection: psycopg.Connection[Row], statement: sql.SQL | sql.Composed) -> str:
    rows = connection.execute(
        sql.SQL("SELECT t::text FROM ({}) AS t").format(statement),
    ).fetchall()
    text = "\n".join(sorted(row for (row,) in rows))
    return f"{len(rows)} rows {hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Done:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def told(self) -> str:
        return self.out + self.err


def environment(url: str | None, home: Path) -> dict[str, str]:
    """The environment of a command; without a URL it is that of local mode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAURI_")}
    shared = (
        {"CAURI_DATABASE_URL": url, "CAURI_PSEUDONYM_KEY": PSEUDONYM_KEY, "CAURI_VAULT_KEY": VAULT_KEY} if url else {}
    )
    bindir = {name: os.environ[name] for name in ("CAURI_PG_BINDIR", "CAURI_TEST_SESSION_FOLDER") if name in os.environ}
    return kept | bindir | shared | {"CAURI_HOME": str(home), "CAURI_LOG_FORMAT": "text", "COLUMNS": "120"}


def cauri(
    *arguments: object, url: str | None, home: Path | None = None, variables: Mapping[str, str] | None = None
) -> Done:
    """Run a command in this process: what `cauri` would print and its exit code."""
    command = ["cauri", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    surroundings = {**environment(url, home or new_folder("home")), **(variables or {})}
    with (
        mock.patch.dict(os.environ, surroundings, clear=True),
        mock.patch.object(sys, "argv", command),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code: Any = 0
        except SystemExit as end:
            code = end.code
    return Done(int(code or 0), out.getvalue(), err.getvalue())


def cauri_process(
    *arguments: object, url: str | None, home: Path, variables: Mapping[str, str] | None = None, **options: Any
) -> "subprocess.Popen[str]":
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("cauri"), *map(str, arguments)],
        env={**environment(url, home), **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
