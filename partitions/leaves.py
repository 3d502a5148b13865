"""Building a leaf aside and attaching it: the only place that creates or attaches one."""

from collections.abc import Callable, Sequence

from partitions.bounds import check_clause, check_name, partition_clause
from partitions.grain import Span
from partitions.indexes import index_statements
from partitions.policy import Policy
from partitions.turns import in_turns
from warehouse.connection import Connection, sql
from warehouse.errors import TransientTargetError

# Index builds get this much of the server's memory, each; two leaves are built at a time.
INDEX_MEMORY = "256MB"

# 300 rows are sampled for each of these; the default of 100 costs 0.09 s a leaf, this 0.01 s.
LEAF_STATISTICS_TARGET = 10

# A complete statement, as the driver takes it.
Statement = sql.SQL | sql.Composed

# Where leaves live: analysts have no USAGE there, and read through the parents.
LEAF_SCHEMA = "dwh_parts"


def plain_name(table: sql.Identifier) -> str:
    """A table's name with its schema, for people and the ledger."""
    return table.as_string().replace('"', "")


def bare_name(table: sql.Identifier) -> str:
    """A table's name without its schema."""
    return plain_name(table).rpartition(".")[2]


def parent_of(policy: Policy) -> sql.Identifier:
    """The partitioned table."""
    return sql.Identifier(policy.table_schema, policy.table)


def staged(policy: Policy, span: Span) -> sql.Identifier:
    """A leaf under construction."""
    return sql.Identifier("staging", span.leaf_of(policy.name))


def attached(policy: Policy, span: Span) -> sql.Identifier:
    """A leaf in its place."""
    return sql.Identifier(LEAF_SCHEMA, span.leaf_of(policy.name))


def creation(policy: Policy, span: Span, timezone: str) -> list[sql.Composed]:
    """The SQL that creates a leaf aside, with the CHECK that later lets it be attached without a scan."""
    leaf = staged(policy, span)
    options = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in policy.storage.items()]
    space = [sql.Identifier(policy.tablespace)] if policy.tablespace else []
    create = sql.SQL(
        "CREATE TABLE {leaf} (LIKE {parent} INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE"
        " INCLUDING COMPRESSION INCLUDING GENERATED INCLUDING CONSTRAINTS, CONSTRAINT {name} {check}){options}{space}"
    ).format(
        leaf=leaf,
        parent=parent_of(policy),
        name=sql.Identifier(check_name(span.leaf_of(policy.name))),
        check=check_clause(policy, span, timezone),
        options=sql.SQL(" WITH ({})").format(sql.SQL(", ").join(options)) if options else sql.SQL(""),
        space=sql.SQL(" TABLESPACE {}").format(*space) if space else sql.SQL(""),
    )
    # No row without a key belongs to a leaf; without this the CHECK would not imply the bound.
    require_key = sql.SQL("ALTER TABLE {} ALTER {} SET NOT NULL").format(leaf, sql.Identifier(policy.key))
    return [create, require_key]


def attachment(policy: Policy, span: Span, timezone: str) -> list[sql.Composed]:
    """The SQL that brings a staged leaf into its place, parent before leaf as readers do: else they would deadlock."""
    parent, leaf = parent_of(policy), attached(policy, span)
    check = sql.Identifier(check_name(span.leaf_of(policy.name)))
    return [
        lock_parent(policy),
        sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(staged(policy, span), sql.Identifier(LEAF_SCHEMA)),
        attach_statement(parent, leaf, partition_clause(policy, span, timezone)),
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, check),
    ]


def lock_parent(policy: Policy) -> sql.Composed:
    """The lock that ATTACH needs on the parent, which stops neither readers nor writers."""
    # Without ONLY all leaves would be locked, too.
    return sql.SQL("LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE").format(parent_of(policy))


def attach_statement(parent: sql.Identifier, leaf: sql.Identifier, clause: sql.Composable) -> sql.Composed:
    """ATTACH PARTITION, with the bounds of `partition_clause`."""
    return sql.SQL("ALTER TABLE {} ATTACH PARTITION {} {}").format(parent, leaf, clause)


def removal(parent: sql.Identifier, leaf: sql.Identifier) -> list[Statement]:
    """The SQL by which a leaf goes, in a transaction that keeps everybody out."""
    return [
        sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(parent, leaf),
        sql.SQL("DROP TABLE {}").format(leaf),
    ]


def create_aside(connection: Connection, policy: Policy, span: Span, timezone: str) -> sql.Identifier:
    """Create a leaf as a table of its own in the caller's transaction. `timezone` is the business time zone."""
    execute_all(connection, creation(policy, span, timezone))
    return staged(policy, span)


def indexing(connection: Connection, policy: Policy, span: Span) -> list[Statement]:
    """The SQL that builds the indexes of a staged leaf and its statistics. `connection` is asked which indexes."""
    leaf = staged(policy, span)
    space = [sql.SQL("SET LOCAL default_tablespace = {}").format(sql.Literal(policy.tablespace))]
    return [
        sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(INDEX_MEMORY)),
        # Both cores are building leaves already.
        sql.SQL("SET LOCAL max_parallel_maintenance_workers = 0"),
        *(space if policy.tablespace else []),
        *index_statements(connection, policy, "staging", bare_name(leaf)),
        sql.SQL("SET LOCAL default_statistics_target = {}").format(sql.Literal(LEAF_STATISTICS_TARGET)),
        sql.SQL("ANALYZE {}").format(leaf),
    ]


def index_and_analyse(connection: Connection, policy: Policy, span: Span) -> None:
    """Build the indexes of a staged leaf and its statistics, in the caller's transaction."""
    execute_all(connection, indexing(connection, policy, span))


def attach(connection: Connection, units: Sequence[tuple[Policy, Span]], timezone: str) -> None:
    """Attach staged leaves to their parents, all or none, waiting for locks in short turns only.

    Where a leaf without rows is attached for the same days, the staged one takes its place.

    Raises:
        LockBusyError: others kept their locks for longer than our patience; everything is as it was.
        TransientTargetError: a leaf that had no rows has some now; everything is as it was.
    """
    premade = [(policy, span) for policy, span in units if _is_attached(connection, attached(policy, span))]
    # Only where a leaf goes do readers wait: for no longer than the turn, and not behind others.
    in_use = [table for policy, span in premade for table in (parent_of(policy), attached(policy, span))]
    for turn in in_turns(connection, in_use):
        with turn:
            for policy, span in premade:
                _make_room(connection, policy, span)
            for policy, span in units:
                attach_one(connection, policy, span, timezone)


def _is_attached(connection: Connection, leaf: sql.Identifier) -> bool:
    row = connection.execute("SELECT relispartition FROM pg_class WHERE oid = to_regclass(%s)", (leaf.as_string(),))
    return row.fetchone() == (True,)


def _make_room(connection: Connection, policy: Policy, span: Span) -> None:
    """Drop a leaf without rows, in the caller's transaction."""
    parent, leaf = parent_of(policy), attached(policy, span)
    for table in (parent, leaf):
        connection.execute(sql.SQL("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE").format(table))
    if connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(leaf)).fetchone() is not None:
        raise TransientTargetError(
            f"{span.leaf_of(policy.name)} had no rows when its successor was built, and has some now",
            remedy="run the same command again: it brings the rows together",
        )
    execute_all(connection, removal(parent, leaf))


def attach_one(connection: Connection, policy: Policy, span: Span, timezone: str) -> None:
    """Attach one staged leaf in the caller's transaction, which has a lock_timeout."""
    execute_all(connection, attachment(policy, span, timezone))


def create_attached(
    connection: Connection,
    policy: Policy,
    span: Span,
    timezone: str,
    fill: Callable[[sql.Identifier], None] = lambda leaf: None,
) -> None:
    """Make a leaf aside, `fill` it there, and attach it: in one transaction, so that a kill leaves nothing behind.

    Raises:
        LockBusyError: others kept their locks for longer than our patience; nothing was made.
    """
    for turn in in_turns(connection):
        with turn:
            execute_all(connection, _beginning(policy, span, timezone))
            fill(staged(policy, span))
            execute_all(connection, _ending(connection, policy, span, timezone))


def making(connection: Connection, policy: Policy, span: Span, timezone: str) -> list[Statement]:
    """The SQL of `create_attached`, of a leaf without rows."""
    return [*_beginning(policy, span, timezone), *_ending(connection, policy, span, timezone)]


def _beginning(policy: Policy, span: Span, timezone: str) -> list[Statement]:
    return [lock_parent(policy), dropping_staged(policy, span), *creation(policy, span, timezone)]


def _ending(connection: Connection, policy: Policy, span: Span, timezone: str) -> list[Statement]:
    return [*indexing(connection, policy, span), *attachment(policy, span, timezone)]


def execute_all(connection: Connection, statements: Sequence[Statement]) -> None:
    """Run statements one after the other."""
    for statement in statements:
        connection.execute(statement)


def drop_staged(connection: Connection, policy: Policy, span: Span) -> None:
    """Throw away a staged leaf that no one will attach."""
    connection.execute(dropping_staged(policy, span))


def dropping_staged(policy: Policy, span: Span) -> sql.Composed:
    """The SQL of `drop_staged`."""
    return sql.SQL("DROP TABLE IF EXISTS {}").format(staged(policy, span))
