"""An archived leaf as the manifest beside its file describes it; the ledger must say the same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from partitions.archive_file import sha256_of
from partitions.columns import Column
from partitions.fingerprint import Fingerprint
from partitions.grain import Span

FORMAT = 1
_DIGEST_OF = (
    "sum of int64(first 8 bytes of SHA-256(record_send(row of columns by name; numeric, jsonb, text[] as text)))"
)


@dataclass(frozen=True)
class Archive:
    """A file and the rows that it holds. `file` is its path below the archive folder; `columns` are (name, type)."""

    table: str
    leaf: str
    span: Span
    columns: tuple[tuple[str, str], ...]
    contents: Fingerprint
    file: str
    sha256: str
    bytes: int
    archived_at: datetime
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> str:
        """Path of the manifest, below the archive folder."""
        return manifest_name(self.file)

    def fits(self, columns: Sequence[Column], contents: Fingerprint) -> bool:
        """Whether it is of exactly these rows, and columns of these names and types in whatever order."""
        return sorted(self.columns) == sorted(described(columns)) and self.contents == contents


def described(columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    """Names and declared types."""
    return tuple((column.name, column.declared) for column in columns)


def file_name(table: str, leaf: str, columns: Sequence[Column], contents: Fingerprint) -> str:
    """Where an archive is kept: equal contents have equal names, and no other contents ever take that name."""
    identity = json.dumps([sorted(described(columns)), contents.rows, str(contents.digest)])
    return f"{table}/{leaf}.{sha256(identity.encode()).hexdigest()[:16]}.parquet"


def manifest_name(file: str) -> str:
    """The manifest of a Parquet file."""
    return f"{file.removesuffix('.parquet')}.json"


def as_json(archive: Archive) -> str:
    """The manifest: all there is to know to read the file without the warehouse."""
    document = {
        "format": FORMAT,
        "table": archive.table,
        "leaf": archive.leaf,
        "first_day": archive.span.first.isoformat(),
        "end_day": archive.span.end.isoformat(),
        "columns": [{"name": name, "type": kind} for name, kind in archive.columns],
        "rows": archive.contents.rows,
        "sums": archive.contents.texts,
        "digest": str(archive.contents.digest),
        "digest_of": _DIGEST_OF,
        "file": archive.file,
        "sha256": archive.sha256,
        "bytes": archive.bytes,
        "archived_at": archive.archived_at.isoformat(),
        "versions": archive.versions,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> Archive | None:
    """The archive that a manifest describes; None if it is no such manifest.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            return None
        columns = tuple((column["name"], column["type"]) for column in found["columns"])
        return Archive(
            table=found["table"],
            leaf=found["leaf"],
            span=Span(date.fromisoformat(found["first_day"]), date.fromisoformat(found["end_day"])),
            columns=columns,
            contents=contents_of(found["rows"], found["digest"], found["sums"]),
            file=found["file"],
            sha256=found["sha256"],
            bytes=found["bytes"],
            archived_at=datetime.fromisoformat(found["archived_at"]),
            versions=found["versions"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def damage(folder: Path, archive: Archive) -> str | None:
    """What is wrong with the stored file and its manifest; None if both are as the ledger says."""
    path, beside = folder / archive.file, folder / archive.manifest
    try:
        if path.stat().st_size != archive.bytes:
            return f"{path} has {path.stat().st_size:,} bytes, the ledger says {archive.bytes:,}"
        if sha256_of(path) != archive.sha256:
            return f"{path} has other bytes than when it was written (SHA-256)"
        if read_manifest(beside) != archive:
            return f"{beside} does not say what the ledger says"
    except OSError as exc:
        return f"{exc.filename or path} cannot be read: {exc.strerror or type(exc).__name__}"
    return None


def contents_of(rows: Any, digest: Any, sums: dict[str, str]) -> Fingerprint:
    """A fingerprint as it is stored: whole numbers as numbers or text, sums as text."""
    return Fingerprint(int(rows), int(digest), {name: Decimal(text) for name, text in sums.items()})
