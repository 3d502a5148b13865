"""A query's rows as a stream of Arrow batches, by ADBC, in a snapshot that a connection already has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from psycopg.conninfo import make_conninfo

from warehouse.connection import Connection, sql
from warehouse.errors import TargetError, TransientTargetError
from warehouse.snapshot import driver_errors_translated

# A batch in PostgreSQL's own form; in Arrow's it is about as large.
BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Stream:
    """Batches as they arrive; each can be read once."""

    reader: pa.RecordBatchReader

    @property
    def schema(self) -> pa.Schema:
        return self.reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                batch = self.reader.read_next_batch()
            except StopIteration:
                return
            except OSError as exc:
                raise TransientTargetError(
                    f"the database went away: {_first_line(exc)}", remedy="run the command again"
                ) from exc
            except pa.ArrowException as exc:
                raise TargetError(f"rows cannot be read from PostgreSQL: {_first_line(exc)}") from exc
            yield batch


@contextmanager
def one_snapshot(connection: Connection) -> Iterator[str]:
    """A read-only transaction that sees one state throughout; yields the name by which others can see the same."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # It waits while others read.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield row[0]


@contextmanager
def stream_rows(
    connection: Connection, snapshot: str, statement: sql.Composed, settings: dict[str, str]
) -> Iterator[Stream]:
    """The rows of a query, read through a second connection to the same server, a batch of some 16 MiB at a time.

    Settings are of the server, for this query only.

    Raises:
        TransientTargetError: the server is away.
        TargetError: the query failed.
    """
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    info = connection.info
    # The address may name several servers: only this one has the snapshot.
    url = make_conninfo(info.dsn, host=info.host, port=info.port, password=info.password or None)
    with driver_errors_translated(), dbapi.connect(url) as reader, reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)).as_string(connection))
        for name, value in settings.items():
            cursor.execute(
                sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(value)).as_string(connection)
            )
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        cursor.execute(statement.as_string(connection))
        yield Stream(cursor.fetch_record_batch())


def _first_line(exc: Exception) -> str:
    return str(exc).splitlines()[0]
