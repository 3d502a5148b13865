"""Rows that were refused: kept whole, encrypted, with every reason; and seen again by those who hold the vault key."""

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from polars import selectors

from engine.discover import SourceFile
from engine.pseudonyms import pseudonyms
from engine.read import EXTRA, ROW_NUMBER, Batch
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.keyring import Keyring
from warehouse.queries import query

NONCE_BYTES = 12
REFUSED_SCHEMA: dict[str, Any] = {
    ROW_NUMBER: pl.Int64,
    "reasons": pl.List(pl.String),
    "payload": pl.Binary,
    "client_ref": pl.Binary,
}


@dataclass(frozen=True)
class RefusedRow:
    """A row of quarantine as a person sees it."""

    file_name: str
    feed: str
    row_number: int
    reasons: list[str]
    values: dict[str, str | None]


def seal(batch: Batch, refused: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    """Refused rows (`row_number`, `reasons`) with `payload` (their raw values, encrypted) and `client_ref`."""
    if refused.is_empty():
        return pl.DataFrame(schema=REFUSED_SCHEMA)
    raw = batch.raw.with_columns(pl.col(ROW_NUMBER).cast(pl.Int64)).join(refused, on=ROW_NUMBER, how="semi")
    cipher = _cipher(keyring)
    payloads = [_encrypt(text, cipher) for text in _texts(raw, batch.raw_lines)]
    sealed = raw.select(ROW_NUMBER, pl.Series("payload", payloads, pl.Binary))
    refs = _client_refs(batch, refused, keyring)
    return refused.join(sealed, on=ROW_NUMBER).join(refs, on=ROW_NUMBER, how="left").select(*REFUSED_SCHEMA)


def _texts(raw: pl.DataFrame, raw_lines: dict[int, str]) -> Iterator[str]:
    # Python's calendar ends with the year 9999, in every zone.
    for row in raw.drop(EXTRA).with_columns(selectors.temporal().cast(pl.String)).iter_rows(named=True):
        number = row.pop(ROW_NUMBER)
        values = {"line": raw_lines[number]} if number in raw_lines else row
        yield json.dumps(values, ensure_ascii=False, default=str)


def _encrypt(text: str, cipher: AESGCM) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, text.encode(), b"quarantine")


def _cipher(keyring: Keyring) -> AESGCM:
    return AESGCM(keyring.vault_bytes("quarantine"))


def _client_refs(batch: Batch, refused: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    rows = batch.frame.join(refused, on=ROW_NUMBER, how="semi")
    if "client_id" not in rows.columns:
        return rows.select(ROW_NUMBER, pl.lit(None, pl.Binary).alias("client_ref"))
    return rows.select(ROW_NUMBER, pseudonyms(rows["client_id"].cast(pl.String), "client", keyring).alias("client_ref"))


def store(connection: Connection, run_id: int, refused: Iterable[tuple[SourceFile, list[Path]]]) -> int:
    """Write the refused rows of files to `ops.quarantine`, in the caller's transaction; known ones are left alone.

    Returns:
        How many were new.
    """
    connection.execute(query("quarantine/stage"))
    for file, parts in refused:
        for part in parts:
            rows = pl.read_ipc(part).with_columns(
                pl.col("reasons").list.join(","),
                content_hash=pl.lit(file.content_hash),
                file_name=pl.lit(file.name),
                feed=pl.lit(file.feed.name),
            )
            copy_frame(connection, sql.Identifier("incoming_refused"), rows)
    return connection.execute(query("quarantine/add"), (run_id,)).rowcount


def refused_rows(connection: Connection, keyring: Keyring, limit: int | None) -> Iterator[RefusedRow]:
    """The open rows of quarantine, decrypted, in the order of files and rows."""
    cipher = _cipher(keyring)
    for file_name, feed, number, reasons, payload in connection.execute(query("quarantine/open_rows"), (limit,)):
        text = cipher.decrypt(payload[:NONCE_BYTES], payload[NONCE_BYTES:], b"quarantine")
        yield RefusedRow(file_name, feed, number, reasons, json.loads(text))


def counts_by_reason(connection: Connection) -> list[tuple[str, str, int]]:
    """Feed, reason and number of open rows, most frequent first."""
    return connection.execute(query("quarantine/counts_by_reason")).fetchall()
