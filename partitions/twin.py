"""A partitioned table takes the name, rights and views of an ordinary one, whose rows become its first leaf."""

from partitions.bounds import bound_literal, partition_clause
from partitions.dependents import require_no_dependents
from partitions.grain import Span
from partitions.indexes import WantedIndex, from_catalog
from partitions.leaves import LEAF_SCHEMA, attach_statement, attached, parent_of
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
    parent, leaf = parent_of(policy), attached(policy, span)
    # Views are then told with the schema of everything, and cannot mean another table later.
    connection.execute("SET LOCAL search_path = pg_catalog")
    require_no_dependents(connection, parent, but=("view",))
    views = connection.execute(query("adopt/views"), (parent.as_string(),)).fetchall()
    owner, remark = connection.execute(query("adopt/described"), (parent.as_string(),)).fetchone() or ("", None)
    sequences = connection.execute(query("adopt/sequences"), (parent.as_string(),)).fetchall()
    _keep_sequences(connection, sequences)
    _move_aside(connection, policy, span)
    _make_parent(connection, policy, leaf)
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(parent, sql.Literal(remark)))
    connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(parent, sql.Identifier(owner)))
    _hand_over_sequences(connection, parent, leaf, sequences)
    _hand_over_rights(connection, parent, leaf)
    connection.execute(attach_statement(parent, leaf, partition_clause(policy, span, timezone)))
    connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(leaf, ADOPTING))
    for schema, name, text, options in views:
        _repoint(connection, sql.Identifier(schema, name), text, options)


Sequence = tuple[str, str, str, bool]


def _keep_sequences(connection: Connection, sequences: list[Sequence]) -> None:
    """A sequence that a column owns would go to the leaf with it."""
    for schema, name, _, identity in sequences:
        if not identity:
            connection.execute(sql.SQL("ALTER SEQUENCE {} OWNED BY NONE").format(sql.Identifier(schema, name)))


def _move_aside(connection: Connection, policy: Policy, span: Span) -> None:
    moved = sql.Identifier(LEAF_SCHEMA, policy.table)
    connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(parent_of(policy), sql.Identifier(LEAF_SCHEMA)))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(moved, sql.Identifier(span.leaf_of(policy.name))))


def _make_parent(connection: Connection, policy: Policy, leaf: sql.Identifier) -> None:
    parent = parent_of(policy)
    connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE ({})").format(
            parent, leaf, sql.Identifier(policy.key)
        )
    )
    connection.execute(sql.SQL("ALTER TABLE ONLY {} DROP CONSTRAINT {}").format(parent, ADOPTING))
    indexes = connection.execute(query("partitions/parent_indexes"), (leaf.as_string(),)).fetchall()
    for name, columns, unique, method, constraint in indexes:
        # Unique ones stay with the leaf: docs/decisions.md.
        if not unique and constraint is None:
            statement = sql.SQL("CREATE INDEX {} ON {} USING {}").format(
                sql.Identifier(name), parent, from_catalog(WantedIndex(tuple(columns), unique, method).method)
            )
            connection.execute(statement)


def _hand_over_sequences(
    connection: Connection, parent: sql.Identifier, leaf: sql.Identifier, sequences: list[Sequence]
) -> None:
    for schema, name, column, identity in sequences:
        of_column = sql.Identifier(column)
        if not identity:
            connection.execute(
                sql.SQL("ALTER SEQUENCE {} OWNED BY {}.{}").format(sql.Identifier(schema, name), parent, of_column)
            )
            continue
        # It moved with the table, and the parent has one of its own.
        old = sql.Identifier(LEAF_SCHEMA, name)
        connection.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), last_value, is_called) FROM {}").format(
                sql.Literal(parent.as_string(connection)), sql.Literal(column), old
            )
        )
        connection.execute(sql.SQL("ALTER TABLE {} ALTER {} DROP IDENTITY").format(leaf, of_column))


def _hand_over_rights(connection: Connection, parent: sql.Identifier, leaf: sql.Identifier) -> None:
    for right, grantee, grantable in _rights(connection, leaf):
        option = sql.SQL(" WITH GRANT OPTION" if grantable else "")
        connection.execute(sql.SQL("GRANT {} ON {} TO {}{}").format(right, parent, grantee, option))
    revoke_all(connection, leaf)


def revoke_all(connection: Connection, table: sql.Identifier) -> None:
    """Take away all rights on a table but its owner's: those of a leaf stand on the parent."""
    for right, grantee, _ in _rights(connection, table):
        connection.execute(sql.SQL("REVOKE {} ON {} FROM {} CASCADE").format(right, table, grantee))


def _rights(connection: Connection, table: sql.Identifier) -> list[tuple[sql.Composable, sql.Composable, bool]]:
    rights: list[tuple[sql.Composable, sql.Composable, bool]] = []
    for privilege, column, role, grantable in connection.execute(
        query("adopt/grants"), {"table": table.as_string()}
    ).fetchall():
        right: sql.Composable = from_catalog(privilege)
        if column is not None:
            right = sql.SQL("{} ({})").format(right, sql.Identifier(column))
        rights.append((right, sql.SQL("PUBLIC") if role is None else sql.Identifier(role), grantable))
    return rights


def _repoint(connection: Connection, view: sql.Identifier, text: str, options: str | None) -> None:
    """The same view, reading what has the table's name now; owner, rights and comments of a replaced view stay."""
    connection.execute(
        sql.SQL("CREATE OR REPLACE VIEW {}{} AS {}").format(
            view, from_catalog(f" WITH ({options})" if options else ""), from_catalog(text)
        )
    )
