"""Which open rows of quarantine are meant, and what they hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, LiteralString

from engine.feeds import FEEDS
from engine.quarantine import Box, Values
from warehouse.connection import Connection, sql
from warehouse.errors import ConfigurationError
from warehouse.keyring import Keyring
from warehouse.queries import query


@dataclass(frozen=True)
class Selection:
    """Open rows by feed, reason, file name (`*` and `?` stand for any text and any character), run and day (UTC).

    `run` is the one that refused the row, or the last that replayed it. None does not narrow the choice.
    """

    feed: str | None = None
    reason: str | None = None
    file: str | None = None
    run: int | None = None
    since: date | None = None
    until: date | None = None
    ids: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.feed is not None and self.feed not in FEEDS:
            raise ConfigurationError(f"there is no feed {self.feed!r}", remedy=f"the feeds are {', '.join(FEEDS)}")

    @property
    def is_all(self) -> bool:
        return self == Selection()

    def parameters(self) -> dict[str, Any]:
        """For the queries of `quarantine/`."""
        ids = list(self.ids) if self.ids is not None else None
        return {**vars(self), "file": _like(self.file) if self.file else None, "ids": ids, "limit": None}


def _like(pattern: str) -> str:
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%").replace("?", "_")


@dataclass(frozen=True)
class RefusedRow:
    """A row of quarantine as a person sees it; `number` is its own in quarantine, `row_number` that in its file.

    `is_corrected`: somebody has corrected its values; `is_news`: since they were stored.
    """

    number: int
    content_hash: str
    file_name: str
    feed: str
    contract: str
    row_number: int
    reasons: list[str]
    attempts: int
    run: int
    form_id: int | None
    is_corrected: bool
    values: Values | None
    is_news: bool = False

    def corrected(self, values: Values) -> "RefusedRow":
        """The row with the values that a person gave it; empty and missing fields are the same."""
        is_news = _filled(values) != _filled(self.values or {})
        return replace(self, values=values, is_news=is_news) if is_news else self

    @property
    def file(self) -> tuple[str, str, str]:
        """Identity of the file that it came from."""
        return self.content_hash, self.feed, self.contract


def _filled(values: Values) -> Values:
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class ReasonCount:
    """How many chosen rows failed a rule, in how many files; how many of them were replayed before."""

    feed: str
    reason: str
    rows: int
    files: int
    replayed: int
    oldest: date


def refused_rows(
    connection: Connection, keyring: Keyring, limit: int | None = None, selection: Selection | None = None
) -> Iterator[RefusedRow]:
    """The chosen open rows, decrypted, in the order of files and rows."""
    parameters = {**(selection or Selection()).parameters(), "limit": limit}
    yield from decrypted(connection, keyring, _of_chosen(query("quarantine/open_rows")), parameters)


def decrypted(
    connection: Connection, keyring: Keyring, statement: Any, parameters: dict[str, Any]
) -> Iterator[RefusedRow]:
    """Rows of quarantine, as they come."""
    box = Box(keyring)
    with connection.cursor() as cursor:
        for row in cursor.stream(statement, parameters):
            payload = row[-1]
            held = (*row[:-1], box.open(payload) if payload is not None else None)
            yield RefusedRow(*held)


def counts_by_reason(connection: Connection, selection: Selection | None = None) -> list[ReasonCount]:
    """The chosen open rows by feed and reason, most frequent first; a row of two reasons counts under both."""
    parameters = (selection or Selection()).parameters()
    rows = connection.execute(_of_chosen(query("quarantine/summary")), parameters).fetchall()
    return [ReasonCount(*row) for row in rows]


def count(connection: Connection, selection: Selection) -> tuple[int, int]:
    """How many open rows are chosen, and how many of them cannot be replayed: how they were read was not kept."""
    row = connection.execute(_of_chosen(query("quarantine/count")), selection.parameters()).fetchone()
    assert row is not None
    return row[0], row[1]


def _of_chosen(text: LiteralString) -> sql.Composed:
    """A query over the rows that the parameters of a selection choose."""
    return sql.SQL(text).format(chosen=sql.SQL(query("quarantine/chosen")))
