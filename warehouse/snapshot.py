"""Reading tables into frames by ADBC, whole or only the rows that match a batch."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from warehouse.address import dsn
from warehouse.connection import SETTLE_SESSION, sql
from warehouse.sqlstates import error_of

# Below this the driver stored NUMERIC values wrongly (arrow-adbc 3485, 4507).
MINIMUM_DRIVER = (1, 12)

_SERVER_SAYS = re.compile(r"(?:ERROR|FATAL):\s+(.*)")


@dataclass(frozen=True)
class Reader:
    """A connection for reading; its temporary tables go with it."""

    cursor: Any

    def stage(self, name: str, rows: pl.DataFrame) -> None:
        """Put rows into a new temporary table, with statistics, for queries to join."""
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        self.cursor.adbc_ingest(name, arrow, mode="create", temporary=True)
        self.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)).as_string())

    def execute(self, query: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement, whose parameters are `$1`, `$2`."""
        self.cursor.execute(query, parameters or None)

    def read(self, query: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The result of a query."""
        self.execute(query, parameters)
        return cast(pl.DataFrame, pl.from_arrow(self.cursor.fetch_arrow_table()))


@contextmanager
def reader(url: str) -> Iterator[Reader]:
    """Read several times on one connection.

    Raises:
        TransientTargetError: the server is away.
        TargetError: a query failed.
    """
    # Its import takes a tenth of a second, which here goes by beside the work of other threads.
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    source = dsn(url, "cauri snapshot")
    with driver_errors_translated(), dbapi.connect(source) as connection, connection.cursor() as cursor:
        cursor.execute(SETTLE_SESSION)
        yield Reader(cursor)


def read_frame(url: str, query: str, matching: pl.DataFrame | None = None) -> pl.DataFrame:
    """The result of a query. With `matching`, its rows stand in a temporary table `incoming` that the query may join.

    Raises: as `reader`.
    """
    with reader(url) as one:
        if matching is not None:
            one.stage("incoming", matching)
        return one.read(query)


@contextmanager
def driver_errors_translated() -> Iterator[None]:
    """Turn ADBC's errors into Cauri's; only what is said first, which holds no row values."""
    import adbc_driver_manager  # noqa: PLC0415

    try:
        yield
    except adbc_driver_manager.Error as exc:
        is_away = isinstance(exc, adbc_driver_manager.OperationalError)
        raise error_of(exc.sqlstate or "", _said(exc), is_away=is_away, kind=type(exc).__name__) from exc


def _said(exc: Exception) -> str:
    """What the server says is wrong; else the first line, for the others may quote the query."""
    said = _SERVER_SAYS.search(str(exc))
    return said.group(1) if said else str(exc).splitlines()[0]
