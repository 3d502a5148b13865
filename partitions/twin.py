"""A partitioned table takes the name, rights and views of an ordinary one, whose rows become its first leaf."""

from partitions.bounds import bound_literal, partition_clause
from partitions.dependents import require_no_dependents
from partitions.grain import Span
from partitions.indexes import from_catalog
from partitions.leaves import LEAF_SCHEMA, Statement, attach_statement, attached, execute_all, parent_of
from partitions.policy import Policy
from partitions.turns import in_turns
from warehouse.connection import Connection, sql
from warehouse.queries import query

# Of the CHECK that the old table gets beforehand: with it, validated, its rows need not be scanned under the lock.
ADOPTING = sql.Identifier("cauri_adopting")


def adopting_check(policy: Policy, span: Span, timezone: str) -> sql.Composed:
    """`CHECK (key IS NOT NULL AND ...)`: all that the bounds of a leaf will say."""
    return sql.SQL("CHECK ({key} IS NOT NULL AND {key} >= {low} AND {key} < {high})").format(
        key=sql.Identifier(policy.key),
        low=bound_literal(policy, span.first, timezone),
        high=bound_literal(policy, span.end, timezone),
    )


def proof(policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> tuple[sql.Composed, sql.Composed]:
    """The CHECK for new rows, and its validation for all others, which stops nobody."""
    add = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {} NOT VALID").format(
        table, adopting_check(policy, span, timezone), name=ADOPTING
    )
    return add, sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(table, ADOPTING)


def prove(connection: Connection, policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> None:
    """Prove that the rows of a table are of these days."""
    add, validate = proof(policy, table, span, timezone)
    for turn in in_turns(connection, [table]):
        with turn:
            connection.execute(add)
    for turn in in_turns(connection):
        with turn:
            connection.execute(validate)


def become_partitioned(connection: Connection, policy: Policy, span: Span, timezone: str) -> None:
    """In the caller's transaction, which holds ACCESS EXCLUSIVE on the table: nothing of its rows is read or moved.

    Raises:
        TargetError: something but plain views depends on the table.
    """
    execute_all(connection, becoming(connection, policy, span, timezone))


def becoming(connection: Connection, policy: Policy, span: Span, timezone: str) -> list[Statement]:
    """The SQL of `become_partitioned`; the same errors. `connection`, in a transaction, is asked what the table has."""
    parent, leaf = parent_of(policy), attached(policy, span)
    # Views are then told with the schema of everything, and cannot mean another table later.
    connection.execute("SET LOCAL search_path = pg_catalog")
    require_no_dependents(connection, parent, but=("view",))
    owner, remark = connection.execute(query("adopt/described"), (parent.as_string(),)).fetchone() or ("", None)
    sequences = connection.execute(query("adopt/sequences"), (parent.as_string(),)).fetchall()
    owned = [
        (sql.Identifier(schema, name), sql.Identifier(column))
        for schema, name, column, identity in sequences
        if not identity
    ]
    identities = [(name, column) for _, name, column, identity in sequences if identity]
    rights = _rights(connection, parent)
    return [
        # A sequence that a column owns would go to the leaf with it.
        *(sql.SQL("ALTER SEQUENCE {} OWNED BY NONE").format(sequence) for sequence, _ in owned),
        *_moving_aside(policy, span),
        *_making_parent(connection, policy, leaf),
        sql.SQL("COMMENT ON TABLE {} IS {}").format(parent, sql.Literal(remark)),
        sql.SQL("ALTER TABLE {} OWNER TO {}").format(parent, sql.Identifier(owner)),
        *(sql.SQL("ALTER SEQUENCE {} OWNED BY {}.{}").format(name, parent, column) for name, column in owned),
        *(statement for name, column in identities for statement in _handing_over(parent, leaf, name, column)),
        *(_grant(right, parent, grantee, grantable) for right, grantee, grantable in rights),
        *(_revoke(right, leaf, grantee) for right, grantee, _ in rights),
        attach_statement(parent, leaf, partition_clause(policy, span, timezone)),
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, ADOPTING),
        *_repointing(connection, parent),
    ]


def _moving_aside(policy: Policy, span: Span) -> list[Statement]:
    moved = sql.Identifier(LEAF_SCHEMA, policy.table)
    return [
        sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(parent_of(policy), sql.Identifier(LEAF_SCHEMA)),
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(moved, sql.Identifier(span.leaf_of(policy.name))),
    ]


def _making_parent(connection: Connection, policy: Policy, leaf: sql.Identifier) -> list[Statement]:
    parent = parent_of(policy)
    indexes = connection.execute(query("partitions/parent_indexes"), (parent.as_string(),)).fetchall()
    return [
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE ({})").format(
            parent, leaf, sql.Identifier(policy.key)
        ),
        sql.SQL("ALTER TABLE ONLY {} DROP CONSTRAINT {}").format(parent, ADOPTING),
        *(
            sql.SQL("CREATE INDEX {} ON {} USING {}").format(sql.Identifier(name), parent, from_catalog(method))
            for name, _, unique, method, constraint, _ in indexes
            # Unique ones stay with the leaf: docs/decisions.md.
            if not unique and constraint is None
        ),
    ]


def _handing_over(parent: sql.Identifier, leaf: sql.Identifier, sequence: str, column: str) -> list[Statement]:
    """The numbers of an identity go on: its sequence moved with the table, and the parent has one of its own."""
    return [
        sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), last_value, is_called) FROM {}").format(
            sql.Literal(parent.as_string()), sql.Literal(column), sql.Identifier(LEAF_SCHEMA, sequence)
        ),
        sql.SQL("ALTER TABLE {} ALTER {} DROP IDENTITY").format(leaf, sql.Identifier(column)),
    ]


def revoking(connection: Connection, table: sql.Identifier) -> list[Statement]:
    """What takes away all rights on a table but its owner's: those of a leaf stand on the parent."""
    return [_revoke(right, table, grantee) for right, grantee, _ in _rights(connection, table)]


Right = tuple[sql.Composable, sql.Composable, bool]


def _grant(right: sql.Composable, table: sql.Identifier, grantee: sql.Composable, grantable: bool) -> sql.Composed:
    option = sql.SQL(" WITH GRANT OPTION" if grantable else "")
    return sql.SQL("GRANT {} ON {} TO {}{}").format(right, table, grantee, option)


def _revoke(right: sql.Composable, table: sql.Identifier, grantee: sql.Composable) -> sql.Composed:
    return sql.SQL("REVOKE {} ON {} FROM {} CASCADE").format(right, table, grantee)


def _rights(connection: Connection, table: sql.Identifier) -> list[Right]:
    rights: list[Right] = []
    for privilege, column, role, grantable in connection.execute(
        query("adopt/grants"), {"table": table.as_string()}
    ).fetchall():
        right: sql.Composable = from_catalog(privilege)
        if column is not None:
            right = sql.SQL("{} ({})").format(right, sql.Identifier(column))
        rights.append((right, sql.SQL("PUBLIC") if role is None else sql.Identifier(role), grantable))
    return rights


def _repointing(connection: Connection, table: sql.Identifier) -> list[Statement]:
    """The same views, reading what has the table's name now; owner, rights and comments of a replaced view stay."""
    views = connection.execute(query("adopt/views"), (table.as_string(),)).fetchall()
    return [
        sql.SQL("CREATE OR REPLACE VIEW {}{} AS {}").format(
            sql.Identifier(schema, name),
            from_catalog(f" WITH ({options})" if options else ""),
            from_catalog(text.rstrip().removesuffix(";")),
        )
        for schema, name, text, options in views
    ]
