"""Reading tables into frames by ADBC, whole or only the rows that match a batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import adbc_driver_manager
import polars as pl
from adbc_driver_postgresql import dbapi

from warehouse.connection import sql
from warehouse.errors import TargetError, TransientTargetError

# Below this the driver stored NUMERIC values wrongly (arrow-adbc 3485, 4507).
MINIMUM_DRIVER = (1, 12)


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
    with driver_errors_translated(), dbapi.connect(url) as connection, connection.cursor() as cursor:
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
    """Turn ADBC's errors into Cauri's; only their first line, which holds no row values."""
    try:
        yield
    except adbc_driver_manager.OperationalError as exc:
        raise TransientTargetError(f"the database is away: {_first_line(exc)}", remedy="run the command again") from exc
    except adbc_driver_manager.Error as exc:
        raise TargetError(f"PostgreSQL refused a query: {_first_line(exc)}") from exc


def _first_line(exc: Exception) -> str:
    return str(exc).splitlines()[0]
