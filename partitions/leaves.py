"""Building a leaf aside and attaching it: step 7, and the DDL of step 6."""

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from partitions.grain import PARTITIONED, Span
from warehouse.connection import Connection, sql, translated
from warehouse.errors import LockBusyError

# A waiting ALTER TABLE queues every later reader behind it: give up early, try again.
ATTACH_LOCK_TIMEOUT = "300ms"
ATTACH_PATIENCE_SECONDS = 60

# Index builds get this much of the server's memory, each; two leaves are built at a time.
INDEX_MEMORY = "256MB"

# 300 rows are sampled for each of these; the default of 100 costs 0.09 s a leaf, this 0.01 s.
LEAF_STATISTICS_TARGET = 10

# Indexes of a leaf; those marked unique exist on leaves only, the others are adopted by the parent's at attach.
LEAF_INDEXES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "fact_transactions": (
        ("UNIQUE", ("transaction_id",)),
        ("", ("date_key", "client_key")),
        ("", ("service_key",)),
    ),
    "fact_daily_client_summary": (("UNIQUE", ("client_key", "date_key", "service_key", "currency_key")),),
}


def staged(table: str, span: Span) -> sql.Identifier:
    """A leaf under construction."""
    return sql.Identifier("staging", span.leaf_of(table))


def create_aside(connection: Connection, table: str, span: Span) -> sql.Identifier:
    """Create a leaf as a table of its own, with the CHECK that later lets it be attached without a scan."""
    leaf = staged(table, span)
    connection.execute(
        sql.SQL(
            "CREATE TABLE {leaf} (LIKE dwh.{parent} INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE,"
            " CONSTRAINT {check} CHECK (date_key >= {low} AND date_key < {high}))"
        ).format(
            leaf=leaf,
            parent=sql.Identifier(table),
            check=sql.Identifier(f"{span.leaf_of(table)}_bounds"),
            low=sql.Literal(span.first_key),
            high=sql.Literal(span.end_key),
        )
    )
    return leaf


def index_and_analyse(connection: Connection, table: str, span: Span) -> None:
    """Build the indexes of a staged leaf and its statistics, in the caller's transaction."""
    leaf = staged(table, span)
    connection.execute(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(INDEX_MEMORY)))
    # Both cores are building leaves already.
    connection.execute("SET LOCAL max_parallel_maintenance_workers = 0")
    for unique, columns in LEAF_INDEXES[table]:
        connection.execute(
            sql.SQL("CREATE {unique} INDEX {name} ON {leaf} ({columns})").format(
                unique=sql.SQL(unique),
                name=sql.Identifier(f"{span.leaf_of(table)}_{'_'.join(c.removesuffix('_key') for c in columns)}"),
                leaf=leaf,
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            )
        )
    connection.execute(sql.SQL("SET LOCAL default_statistics_target = {}").format(sql.Literal(LEAF_STATISTICS_TARGET)))
    connection.execute(sql.SQL("ANALYZE {}").format(leaf))


def attach(connection: Connection, span: Span) -> None:
    """Attach the staged leaves of a span to their parents, all or none, waiting for locks in short turns only."""
    retrying = Retrying(
        retry=retry_if_exception_type(LockBusyError),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_delay(ATTACH_PATIENCE_SECONDS),
        reraise=True,
    )
    for attempt in retrying:
        with attempt, translated(), connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(ATTACH_LOCK_TIMEOUT)))
            for table in PARTITIONED:
                _attach_one(connection, table, span)


def _attach_one(connection: Connection, table: str, span: Span) -> None:
    parent, name = sql.Identifier("dwh", table), span.leaf_of(table)
    # Parent before leaf, as readers do: the other order deadlocks with them.
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(parent))
    connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA dwh_parts").format(staged(table, span)))
    leaf = sql.Identifier("dwh_parts", name)
    connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            parent, leaf, sql.Literal(span.first_key), sql.Literal(span.end_key)
        )
    )
    connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, sql.Identifier(f"{name}_bounds")))


def drop_staged(connection: Connection, span: Span) -> None:
    """Throw away staged leaves that no one will attach."""
    for table in PARTITIONED:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(staged(table, span)))
