"""Files and frames for tests of steps 1 to 3: what a source gives is read, parsed and checked without a database."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from engine.contracts import check
from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.mapping import Source
from engine.parse import Domains, Locale, parse, refer
from engine.pieces import read_pieces
from engine.quarantine import NONCE_BYTES, seal
from engine.read import Batch, LazyBatch, Reader, open_reader
from warehouse.keyring import Keyring

KEYRING = Keyring(SecretStr(base64.b64encode(b"p" * 32).decode()), SecretStr(base64.b64encode(b"v" * 32).decode()))
CLOCK = datetime(2024, 6, 1, 12, tzinfo=UTC)
DOMAINS = Domains(
    services=pl.DataFrame({"service_id": ["SAL", "SUP"], "commission_rate": [1.0, 0.5], "is_active": [True, False]}),
    currencies=pl.DataFrame(
        {"currency": ["XOF", "GHS", "KES", "TND"], "currency_key": [1, 2, 3, 4], "exponent": [0, 2, 2, 3]},
        schema_overrides={"currency_key": pl.Int16, "exponent": pl.Int16},
    ),
    statuses={"SUCCESS": 1, "FAILED": 2, "PENDING": 3, "REVERSED": 4},
    clock=CLOCK,
)
# One good row of each feed.
GOOD: dict[str, dict[str, str]] = {
    "transactions": {
        "transaction_id": "T1",
        "transaction_ts": "2024-05-17T10:00:00Z",
        "client_id": "CLI-1",
        "service_id": "SAL",
        "channel_code": "USSD",
        "location_code": "CI-ABJ",
        "beneficiary_id": "+2250701020304",
        "currency": "GHS",
        "amount": "150.25",
        "commission": "1.50",
        "status": "SUCCESS",
        "processing_ms": "1200",
        "updated_at": "2024-05-17T10:00:05Z",
    },
    "clients": {
        "client_id": "CLI-1",
        "company_name": "Kone SA",
        "msisdn": "+2250701020304",
        "email": "a@example.com",
        "customer_segment": "CORPORATE",
        "company_size": "LARGE",
        "risk_level": "LOW",
        "sector": "AGRI",
        "country_code": "CI",
        "city": "Abidjan",
        "kyc_level": "2",
        "onboarded_on": "2020-02-29",
        "effective_at": "2023-01-01T00:00:00Z",
        "updated_at": "2023-01-02T00:00:00Z",
        "is_deleted": "0",
    },
    "services": {
        "service_id": "SAL",
        "service_name": "Salaries",
        "category": "BULK",
        "commission_rate": "1.25",
        "is_active": "true",
    },
    "channels": {"channel_code": "USSD", "channel_name": "Ussd"},
    "locations": {
        "location_code": "CI-ABJ",
        "city": "Abidjan",
        "region": "Lagunes",
        "country_code": "CI",
        "latitude": "5.345",
        "longitude": "-4.024",
    },
    "fraud_labels": {"transaction_id": "T1", "is_fraud": "1", "reported_at": "2024-05-20T00:00:00Z"},
}


@dataclass(frozen=True)
class Checked:
    """All of a file after steps 2 and 3."""

    batches: list[Batch]
    good: pl.DataFrame
    reasons: dict[int, list[str]]
    sealed: pl.DataFrame

    @property
    def read(self) -> int:
        return sum(batch.raw.height for batch in self.batches)

    @property
    def refused_values(self) -> dict[int, dict[str, Any]]:
        """What quarantine gives back, by row number."""
        return {number: opened(payload) for number, payload in self.sealed.select("row_number", "payload").iter_rows()}


def source_file(path: Path, feed: str, content: bytes | None = None, **options: Any) -> SourceFile:
    """A file of a feed; `content` is written to it first."""
    if content is not None:
        path.write_bytes(content)
    content = path.read_bytes()
    source = Source(FEEDS[feed], files="*", **options)
    return SourceFile(0, path, path.name, source, len(content), hashlib.sha256(content).hexdigest())


def text_file(folder: Path, feed: str, content: bytes | str, **options: Any) -> SourceFile:
    """A CSV file of a feed, by default in UTF-8."""
    return source_file(
        folder / f"{feed}.csv", feed, content.encode() if isinstance(content, str) else content, **options
    )


def table_file(folder: Path, feed: str, frame: pl.DataFrame, **options: Any) -> SourceFile:
    """A Parquet file of a feed."""
    path = folder / f"{feed}.parquet"
    frame.write_parquet(path)
    return source_file(path, feed, **options)


def lines_of(feed: str, *changes: Mapping[str, str], delimiter: str = ",") -> str:
    """The header of a feed, and its good row once for each of the changes to it."""
    good = GOOD[feed]
    rows = [list(good), *(list({**good, **change}.values()) for change in changes)]
    return "".join(delimiter.join(row) + "\n" for row in rows)


def lazy_batches(reader: Reader, piece_bytes: int | None = None) -> Iterator[LazyBatch]:
    """The batches of a file, in pieces of another size if one is given."""
    if piece_bytes is None or reader.dialect is None:
        yield from reader.batches()
        return
    for piece in read_pieces(reader.file, reader.dialect, piece_bytes):
        yield LazyBatch(reader, piece.first_line, piece)


def read(file: SourceFile, piece_bytes: int | None = None) -> list[Batch]:
    """Step 2 over a whole file."""
    return [lazy.read() for lazy in lazy_batches(open_reader(file), piece_bytes)]


def rows(batches: Iterable[Batch]) -> pl.DataFrame:
    """The canonical rows of all batches."""
    frames = [batch.frame for batch in batches]
    return pl.concat(frames) if frames else pl.DataFrame()


def read_and_check(file: SourceFile, piece_bytes: int | None = None, timezone: str = "Africa/Abidjan") -> Checked:
    """Steps 2 and 3 over a whole file, as `engine.sift` does them."""
    batches, good, sealed = read(file, piece_bytes), [], []
    reasons: dict[int, list[str]] = {}
    for batch in batches:
        frame = parse(batch.frame, file.feed, Locale(file.source.timezone or timezone, batch.decimal_comma))
        if file.feed.name == "transactions":
            frame = refer(frame, DOMAINS)
        passed, refused = check(frame, file.feed.name, CLOCK)
        good.append(passed)
        sealed.append(seal(batch, refused, KEYRING))
        reasons.update(refused.iter_rows())
    return Checked(
        batches,
        pl.concat(good) if good else pl.DataFrame(),
        reasons,
        pl.concat(sealed) if sealed else pl.DataFrame(),
    )


def opened(payload: bytes) -> dict[str, Any]:
    """The raw values of a refused row."""
    cipher = AESGCM(KEYRING.vault_bytes("quarantine"))
    values: dict[str, Any] = json.loads(cipher.decrypt(payload[:NONCE_BYTES], payload[NONCE_BYTES:], b"quarantine"))
    return values
