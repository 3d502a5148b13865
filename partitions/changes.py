"""Concurrent changes of leaves, captured: whatever a writer does to them is also written into a table in `staging`.

A change is a row with a sign: +1 it came, -1 it went, and an update is both. Leaves are multisets of rows, so that the
sum of a consistent set of changes is all that a copy needs; no unique index and no order of the changes is needed.
"""

from collections.abc import Sequence

from partitions.columns import Column, listed
from partitions.leaves import Statement, execute_all
from partitions.policy import Policy
from partitions.turns import in_turns
from warehouse.connection import Connection, sql, translated
from warehouse.queries import query

# The trigger does one or two inserts a row; NULL as sign says that the whole leaf was emptied.
_BODY = """
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {side} (cauri_sign) VALUES (NULL);
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO {side} (cauri_sign, {columns}) VALUES (-1, {old});
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {side} (cauri_sign, {columns}) VALUES (1, {new});
    END IF;
    RETURN NULL;
END
"""

# A run that fails does not wait long to tidy up: the next run does that, too.
CLEARING_PATIENCE_SECONDS = 10.0


def side_table(policy: Policy) -> sql.Identifier:
    """Where changes are written down; `cauri_sign` stands beside the columns of the table."""
    return sql.Identifier("staging", f"{policy.table}_changes")


def routing_table(policy: Policy) -> sql.Identifier:
    """The partitioned table that new leaves hang on until they take their place: dropped with all of them."""
    return sql.Identifier("staging", f"{policy.table}_aside")


def _function(policy: Policy) -> sql.Identifier:
    return sql.Identifier("staging", f"{policy.table}_capture")


def capture(
    connection: Connection, policy: Policy, leaves: Sequence[sql.Identifier], columns: Sequence[Column]
) -> None:
    """Write down every change of these leaves from now on. When it returns, no earlier change is left uncommitted.

    Readers are not stopped; writers wait for 100 ms at most, again and again while a long one is at work.

    Raises:
        LockBusyError: a writer kept its lock for longer than our patience. `clear_leftovers` removes what was begun.
    """
    with translated(), connection.transaction():
        execute_all(connection, notebook(policy, leaves[0], columns))
    for leaf in leaves:
        for turn in in_turns(connection, [leaf], stops_readers=False):
            with turn:
                execute_all(connection, triggers(policy, leaf))


def notebook(policy: Policy, leaf: sql.Identifier, columns: Sequence[Column]) -> list[Statement]:
    """The SQL that makes the table of changes, like a leaf, and the function that writes into it."""
    side = side_table(policy)
    body = sql.SQL(_BODY).format(
        side=side, columns=listed(columns), old=listed(columns, "old"), new=listed(columns, "new")
    )
    return [
        # Not logged: a server that crashes ends this run, and the next one begins again.
        sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT 0::smallint AS cauri_sign, {} FROM ONLY {} WITH NO DATA").format(
            side, listed(columns), leaf
        ),
        sql.SQL(
            "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS {}"
        ).format(_function(policy), sql.Literal(body.as_string())),
    ]


def triggers(policy: Policy, leaf: sql.Identifier) -> list[Statement]:
    """The SQL that has every change of a leaf written down."""
    statements: list[Statement] = []
    # All take SHARE ROW EXCLUSIVE; ALWAYS, because replicated and restored rows count as well.
    for name, events, level in (
        ("cauri_capture", sql.SQL("INSERT OR UPDATE OR DELETE"), sql.SQL("ROW")),
        ("cauri_capture_truncate", sql.SQL("TRUNCATE"), sql.SQL("STATEMENT")),
    ):
        trigger = sql.Identifier(name)
        statements += [
            sql.SQL("CREATE TRIGGER {} AFTER {} ON {} FOR EACH {} EXECUTE FUNCTION {}()").format(
                trigger, events, leaf, level, _function(policy)
            ),
            sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(leaf, trigger),
        ]
    return statements


def dropping_aside(policy: Policy) -> list[Statement]:
    """The SQL that drops the tables and the function of a capture that no trigger uses any more."""
    return [
        # In this order: the backend of a killed run may still be about to commit, and has a lock on the first.
        sql.SQL("DROP TABLE IF EXISTS {}").format(side_table(policy)),
        sql.SQL("DROP FUNCTION IF EXISTS {}()").format(_function(policy)),
        sql.SQL("DROP TABLE IF EXISTS {}").format(routing_table(policy)),
    ]


def capturing(connection: Connection, policy: Policy) -> list[tuple[str, str, str]]:
    """Schema, leaf and name of each trigger that writes changes down."""
    with translated():
        return connection.execute(query("replace/capturing"), (_function(policy).as_string(),)).fetchall()


def dropping_trigger(leaf: sql.Identifier, trigger: str) -> sql.Composed:
    """The SQL that ends the capture of a leaf's changes."""
    return sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(trigger), leaf)


def clear_leftovers(connection: Connection, policy: Policy, *, patience: float | None = None) -> list[str]:
    """Remove what a killed run left of a change: triggers, function, captured changes, leaves built aside.

    The old leaves are whole and attached, whenever it was killed. Returns the names of what was removed.

    Raises:
        LockBusyError: somebody uses a captured leaf for longer than our patience.
    """
    found = capturing(connection, policy)
    with translated():
        aside = connection.execute(
            query("replace/aside"), [name.as_string() for name in (routing_table(policy), side_table(policy))]
        ).fetchall()
    for schema, leaf, trigger in found:
        table = sql.Identifier(schema, leaf)
        for turn in in_turns(connection, [table], patience=patience):
            with turn:
                connection.execute(dropping_trigger(table, trigger))
    for turn in in_turns(connection, patience=patience) if found or aside else ():
        with turn:
            execute_all(connection, dropping_aside(policy))
    return [f"{trigger} on {schema}.{leaf}" for schema, leaf, trigger in found] + [name for (name,) in aside]
