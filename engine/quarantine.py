"""Rows that were refused: kept whole, encrypted, with every reason; and seen again by those who hold the vault key."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from polars import selectors

from engine.discover import SourceFile
from engine.fields import EXTRA, ROW_NUMBER
from engine.form import Form
from engine.pseudonyms import pseudonyms
from engine.read import Batch
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


# What one refused row holds: its values by heading, or, under this name, the text of a line of another form.
Values = dict[str, str | None]
LINE = "line"


def seal(batch: Batch, refused: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    """Refused rows (`row_number`, `reasons`) with `payload` (their raw values, encrypted) and `client_ref`."""
    if refused.is_empty():
        return pl.DataFrame(schema=REFUSED_SCHEMA)
    raw = _of_rows(batch.raw, refused).with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))
    box = Box(keyring)
    payloads = [box.seal(text) for text in _texts(raw, batch.raw_lines)]
    sealed = raw.select(ROW_NUMBER, pl.Series("payload", payloads, pl.Binary))
    refs = client_refs(batch, refused, keyring)
    return refused.join(sealed, on=ROW_NUMBER).join(refs, on=ROW_NUMBER, how="left").select(*REFUSED_SCHEMA)


def _of_rows(frame: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col(ROW_NUMBER).cast(pl.Int64).is_in(refused[ROW_NUMBER].implode()))


def _texts(raw: pl.DataFrame, raw_lines: dict[int, str]) -> Iterator[str]:
    # Python's calendar ends with the year 9999, in every zone.
    for row in raw.drop(EXTRA).with_columns(_moment_texts(raw)).iter_rows(named=True):
        number = row.pop(ROW_NUMBER)
        values = {LINE: raw_lines[number]} if number in raw_lines else row
        yield json.dumps(values, ensure_ascii=False, default=str)


def _moment_texts(raw: pl.DataFrame) -> list[pl.Expr]:
    """Moments as text that can be read again: those of a zone in UTC."""
    texts = [selectors.date().dt.to_string("%F"), (selectors.time() | selectors.duration()).cast(pl.String)]
    for name, dtype in raw.schema.items():
        if isinstance(dtype, pl.Datetime):
            zoned = dtype.time_zone is not None
            moment = pl.col(name).dt.convert_time_zone("UTC") if zoned else pl.col(name)
            texts.append(moment.dt.strftime("%F %T%.fZ" if zoned else "%F %T%.f"))
    return texts


class Box:
    """Encrypts and opens rows of quarantine with the vault key."""

    def __init__(self, keyring: Keyring) -> None:
        self._cipher = AESGCM(keyring.vault_bytes("quarantine"))

    def seal(self, text: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), b"quarantine")

    def open(self, payload: bytes) -> Values:
        """The values of a row, each as text."""
        text = self._cipher.decrypt(payload[:NONCE_BYTES], payload[NONCE_BYTES:], b"quarantine")
        return {name: as_text(value) for name, value in json.loads(text).items()}


def as_text(value: Any) -> str | None:
    """A value of JSON as a text file would have it."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def client_refs(batch: Batch, refused: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    """`client_ref`, the pseudonym of the client that each of some rows (`row_number`) names."""
    rows = _of_rows(batch.frame, refused)
    if "client_id" not in rows.columns:
        return rows.select(ROW_NUMBER, pl.lit(None, pl.Binary).alias("client_ref"))
    return rows.select(ROW_NUMBER, pseudonyms(rows["client_id"].cast(pl.String), "client", keyring).alias("client_ref"))


def store(connection: Connection, run_id: int, refused: Iterable[tuple[SourceFile, Form, list[Path]]]) -> int:
    """Write the refused rows of files to `ops.quarantine`, in the caller's transaction; known ones are left alone.

    Returns:
        How many were new.
    """
    connection.execute(query("quarantine/stage"))
    for file, form, parts in refused:
        if not parts:
            continue
        form_id = store_form(connection, file.feed.name, form)
        for part in parts:
            rows = pl.read_ipc(part).with_columns(
                pl.col("reasons").list.join(","),
                content_hash=pl.lit(file.content_hash),
                file_name=pl.lit(file.name),
                feed=pl.lit(file.feed.name),
                contract=pl.lit(file.contract),
                form_id=pl.lit(form_id, pl.Int64),
            )
            copy_frame(connection, sql.Identifier("incoming_refused"), rows)
    return connection.execute(query("quarantine/add"), (run_id,)).rowcount


def store_form(connection: Connection, feed: str, form: Form) -> int:
    """The number of a form; it is stored if it was not known."""
    values = {"feed": feed, "digest": form.digest, "form": form.to_json()}
    connection.execute(query("quarantine/add_form"), values)
    row = connection.execute(query("quarantine/form_number"), values).fetchone()
    assert row is not None
    return int(row[0])


def supersede(connection: Connection, run_id: int, contracts: Mapping[tuple[str, str], Iterable[str]]) -> None:
    """Close the open rows of files that were now read under another mapping: they have been judged anew.

    Args:
        contracts: content hash and feed -> all contracts under which the run knows such a file.
    """
    for (content_hash, feed), current in contracts.items():
        connection.execute(query("quarantine/supersede"), (run_id, content_hash, feed, list(current)))
