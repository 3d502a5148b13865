"""Reading tables into frames by ADBC, whole or only the rows that match a batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import adbc_driver_manager
import polars as pl
from adbc_driver_postgresql import dbapi

from warehouse.errors import TargetError, TransientTargetError

# Below this the driver stored NUMERIC values wrongly (arrow-adbc 3485, 4507).
MINIMUM_DRIVER = (1, 12)


def read_frame(url: str, query: str, matching: pl.DataFrame | None = None) -> pl.DataFrame:
    """The result of a query. With `matching`, its rows stand in a temporary table `incoming` that the query may join.

    Raises:
        TransientTargetError: the server is away.
        TargetError: the query failed.
    """
    with driver_errors_translated(), dbapi.connect(url) as connection, connection.cursor() as cursor:
        if matching is not None:
            arrow = matching.to_arrow(compat_level=pl.CompatLevel.oldest())
            cursor.adbc_ingest("incoming", arrow, mode="create", temporary=True)
            cursor.execute("ANALYZE incoming")
        cursor.execute(query)
        return cast(pl.DataFrame, pl.from_arrow(cursor.fetch_arrow_table()))


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
