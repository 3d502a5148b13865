"""`feeds.toml`: which files belong to which feed, and how their columns become canonical ones."""

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from engine.expectations import Expectations, expectations_by_feed, read_expectations
from engine.feeds import FEEDS, Feed
from warehouse.errors import ConfigurationError

MAPPING_FILE = "feeds.toml"
_OPTIONS = {"files", "feed", "columns", "rows", "encoding", "delimiter", "decimal", "timezone", "expectations"}
_TABLES = {"source", "expectations"}


@dataclass(frozen=True)
class Source:
    """One `[[source]]`: files (or inline rows) of a feed and how to read them. None means: find out."""

    feed: Feed
    files: str = ""
    columns: dict[str, Any] = field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    timezone: str | None = None
    expectations: Expectations = field(default_factory=Expectations)

    @property
    def fingerprint(self) -> str:
        """Changes when the same bytes would be read as other rows."""
        facts = [self.columns, self.encoding, self.delimiter, self.decimal, self.timezone]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]

    def covers(self, file_name: str) -> bool:
        return bool(self.files) and fnmatch(file_name, self.files)


def default_sources() -> list[Source]:
    """Without a `feeds.toml`, a file belongs to the feed with whose name its own begins."""
    return [Source(feed, files=f"{name}*") for name, feed in FEEDS.items()]


@dataclass(frozen=True)
class Mapping:
    """A `feeds.toml`: sources, and what is expected of each feed."""

    sources: list[Source]
    expectations: dict[str, Expectations] = field(default_factory=dict)


def read_sources(path: Path) -> list[Source]:
    """The sources of a `feeds.toml`; see `read_mapping`."""
    return read_mapping(path).sources


def read_mapping(path: Path) -> Mapping:
    """What a `feeds.toml` says. One without sources, but with expectations, leaves files to the default sources.

    Raises:
        ConfigurationError: the file is missing, is not TOML, or says something that means nothing.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no mapping file {path}", remedy="give an existing file to --feeds"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path.name} is not valid TOML: {exc}", remedy="correct the file") from None
    unknown = sorted(set(document) - _TABLES)
    if unknown:
        raise ConfigurationError(
            f"{path.name} has unknown table(s) {', '.join(unknown)}",
            remedy="its tables are [[source]] and [expectations.FEED]",
        )
    expectations = expectations_by_feed(path.name, document.get("expectations", {}))
    if expectations and "source" not in document:
        return Mapping(default_sources(), expectations)
    entries = document.get("source", [])
    if not (entries and isinstance(entries, list)):
        raise ConfigurationError(f"{path.name} has no [[source]]", remedy="see docs/feeds.md for the form")
    return Mapping([_source(path.name, number, entry) for number, entry in enumerate(entries, start=1)], expectations)


def _source(file_name: str, number: int, entry: dict[str, Any]) -> Source:
    where = f"{file_name}, source {number}"
    if not isinstance(entry, dict):
        raise ConfigurationError(
            f"{where}: is not a table", remedy="begin each source with [[source]], in double brackets"
        )
    unknown = sorted(set(entry) - _OPTIONS)
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown option(s) {', '.join(unknown)}", remedy=f"the options are {', '.join(sorted(_OPTIONS))}"
        )
    feed = FEEDS.get(str(entry.get("feed", "")))
    if feed is None:
        raise ConfigurationError(
            f"{where}: unknown feed {entry.get('feed')!r}", remedy=f"use one of {', '.join(FEEDS)}"
        )
    if bool(entry.get("files")) == bool(entry.get("rows")):
        raise ConfigurationError(f"{where}: needs either files or rows", remedy='for instance files = "export_*.csv"')
    columns, rows = entry.get("columns", {}), entry.get("rows", [])
    if not isinstance(columns, dict):
        raise ConfigurationError(
            f"{where}: columns is not a table", remedy='for instance columns = { amount = "montant" }'
        )
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise ConfigurationError(
            f"{where}: rows is not a list of tables", remedy="for instance rows = [{ channel_code = ... }]"
        )
    _check_columns(where, feed, columns)
    _check_reading(where, entry)
    rest = {name: entry[name] for name in ("files", "encoding", "delimiter", "decimal", "timezone") if name in entry}
    expectations = read_expectations(f"{where}, expectations", feed, entry.get("expectations", {}))
    return Source(feed, columns=columns, rows=tuple(rows), expectations=expectations, **rest)


def _check_reading(where: str, entry: dict[str, Any]) -> None:
    for name, (is_right, form) in _FORMS.items():
        if name in entry and not (isinstance(entry[name], str) and is_right(entry[name])):
            raise ConfigurationError(
                f"{where}: {name} = {entry[name]!r} means nothing", remedy=f"{name} must be {form}"
            )


def _is_encoding(name: str) -> bool:
    try:
        b"\xff".decode(name, errors="replace")
    except (LookupError, ValueError):
        return False
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_FORMS: dict[str, tuple[Callable[[str], bool], str]] = {
    "files": (bool, 'a pattern of file names, for instance "export_*.csv"'),
    "encoding": (_is_encoding, "the name of an encoding, for instance utf-8, utf-16 or cp1252"),
    "delimiter": (lambda text: len(text) == 1 and text.isascii() and text not in '"\r\n\0', "one ASCII character"),
    "decimal": (lambda text: text in {",", "."}, "a comma or a point"),
    "timezone": (_is_zone, "a zone of the IANA database, for instance Africa/Abidjan"),
}


def _check_columns(where: str, feed: Feed, columns: dict[str, Any]) -> None:
    unknown = sorted(set(columns) - set(feed.names))
    if unknown:
        raise ConfigurationError(
            f"{where}: {feed.name} has no column(s) {', '.join(unknown)}", remedy=f"it has {', '.join(feed.names)}"
        )
    for name, value in columns.items():
        column_expression(value, where=f"{where}, column {name}")


def column_expression(value: Any, *, where: str) -> pl.Expr:
    """Expression over the raw headings for a mapped column: a heading, `{const = ...}` or `{expr = "SQL"}`.

    SQL expressions see every heading as text, and `row_number` (from 1).

    Raises:
        ConfigurationError: the value has none of these forms, or the SQL cannot be parsed.
    """
    if isinstance(value, str):
        return pl.col(value)
    if isinstance(value, dict) and set(value) == {"const"}:
        return pl.lit(str(value["const"]))
    if isinstance(value, dict) and set(value) == {"expr"} and isinstance(value["expr"], str):
        try:
            return pl.sql_expr(value["expr"])
        except pl.exceptions.PolarsError as exc:
            raise ConfigurationError(f"{where}: the expression is not valid SQL: {exc}", remedy="correct it") from None
    raise ConfigurationError(
        f"{where}: must be a heading, {{ const = ... }} or {{ expr = ... }}", remedy="see docs/feeds.md for the form"
    )
