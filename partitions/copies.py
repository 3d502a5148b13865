"""Leaves built aside from leaves that stay in use, and kept up with them."""

from dataclasses import dataclass

from partitions.bounds import partition_clause
from partitions.changes import routing_table, side_table
from partitions.columns import Column, listed
from partitions.control_totals import Totals, control_totals, totalled
from partitions.grain import Span
from partitions.indexes import index_statements
from partitions.leaves import (
    Statement,
    attach_statement,
    bare_name,
    creation,
    execute_all,
    indexing,
    parent_of,
    staged,
)
from partitions.policy import Policy
from warehouse.connection import Connection, sql, translated
from warehouse.errors import TargetError

# What changed since the last round: a row, how often it came (or went: negative), and its text.
NET = sql.Identifier("pg_temp", "cauri_net")


@dataclass(frozen=True)
class Copy:
    """Leaves of `old` on their way to leaves for `spans`. `rest`, a DEFAULT partition, takes the other rows."""

    policy: Policy
    timezone: str
    old: tuple[sql.Identifier, ...]
    spans: tuple[Span, ...]
    columns: tuple[Column, ...]
    rest: sql.Identifier | None = None

    @property
    def routing(self) -> sql.Identifier:
        return routing_table(self.policy)

    @property
    def aside(self) -> list[sql.Identifier]:
        """All tables that are built."""
        return [*(staged(self.policy, span) for span in self.spans), *([self.rest] if self.rest else [])]


def build(connection: Connection, copy: Copy) -> None:
    """Make the new leaves from one snapshot of the old ones, with indexes and statistics, all or none.

    Raises:
        TargetError: the rows do not fit, for example a unique index of the policy; nothing was kept.
    """
    with translated():
        execute_all(connection, net_table(copy))
        statements = building(connection, copy)
    with translated(), connection.transaction():
        execute_all(connection, statements)
    for statement in freezing(copy):
        with translated():
            connection.execute(statement)


def net_table(copy: Copy) -> list[Statement]:
    """The SQL that makes the table in which a round adds up what changed."""
    return [
        sql.SQL("DROP TABLE IF EXISTS {}").format(NET),
        sql.SQL(
            "CREATE TEMPORARY TABLE cauri_net ON COMMIT DELETE ROWS AS"
            " SELECT {}, ''::text AS cauri_row, 0::bigint AS cauri_net FROM ONLY {} WITH NO DATA"
        ).format(listed(copy.columns), copy.old[0]),
    ]


def building(connection: Connection, copy: Copy) -> list[Statement]:
    """The SQL of the one transaction that makes the new leaves. `connection` is asked for the indexes of the table."""
    statements: list[Statement] = [
        sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
        # The rows of a new leaf stand in the order of the old one.
        sql.SQL("SET LOCAL synchronize_seqscans = off"),
        # What this snapshot sees of the captured changes, it also sees in the leaves.
        sql.SQL("DELETE FROM {}").format(side_table(copy.policy)),
        *_creating(copy),
        *(
            sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM ONLY {}").format(
                copy.routing, old, names=listed(copy.columns)
            )
            for old in copy.old
        ),
    ]
    for span in copy.spans:
        statements += indexing(connection, copy.policy, span)
    if copy.rest:
        # What belongs nowhere may also be there twice.
        without_unique = copy.policy.model_copy(update={"unique": ()})
        statements += index_statements(connection, without_unique, "staging", bare_name(copy.rest))
    return statements


def freezing(copy: Copy) -> list[Statement]:
    """The SQL that freezes the new leaves, each statement on its own."""
    # Otherwise the first readers would write to every page, and years later one vacuum to all of them at once.
    return [sql.SQL("VACUUM (FREEZE) {}").format(leaf) for leaf in copy.aside]


def _creating(copy: Copy) -> list[Statement]:
    policy, routing = copy.policy, copy.routing
    statements: list[Statement] = [
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING GENERATED) PARTITION BY RANGE ({})").format(
            routing, parent_of(policy), sql.Identifier(policy.key)
        )
    ]
    for span in copy.spans:
        clause = partition_clause(policy, span, copy.timezone)
        statements += creation(policy, span, copy.timezone)
        statements.append(attach_statement(routing, staged(policy, span), clause))
    if copy.rest:
        statements += [
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING GENERATED)").format(
                copy.rest, parent_of(policy)
            ),
            attach_statement(routing, copy.rest, sql.SQL("DEFAULT")),
        ]
    return statements


def verify(connection: Connection, copy: Copy) -> Totals:
    """Compare rows and sums of the old leaves with those of the new ones, both as the caller's snapshot sees them.

    Raises:
        TargetError: they differ.
    """
    *of_old, of_new = comparing(copy)
    before = sum((control_totals(connection, statement, copy.columns) for statement in of_old), Totals())
    after = control_totals(connection, of_new, copy.columns)
    if before != after:
        differing = sorted(name for name in before.sums if before.sums[name] != after.sums.get(name))
        raise TargetError(
            f"{copy.policy.name}: {before.rows} rows in the old leaves, {after.rows} in the new ones;"
            f" sums differ in {', '.join(differing) or 'no column'}",
            remedy="nothing was changed; run the command again, and report this if it stays",
        )
    return after


def comparing(copy: Copy) -> list[sql.Composed]:
    """The SQL that totals each old leaf, then the new ones together."""
    old = [totalled(sql.SQL("ONLY {}").format(leaf), copy.columns) for leaf in copy.old]
    return [*old, totalled(copy.routing, copy.columns)]
