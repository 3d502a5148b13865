"""Leaves built aside from leaves that stay in use, and kept up with them."""

from dataclasses import dataclass

from partitions.bounds import partition_clause
from partitions.changes import routing_table, side_table
from partitions.control_totals import Column, Totals, bare_name, control_totals, listed
from partitions.grain import Span
from partitions.indexes import build_indexes
from partitions.leaves import create_aside, index_and_analyse, parent_of, staged
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
    _make_net_table(connection, copy)
    with translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # The rows of a new leaf stand in the order of the old one.
        connection.execute("SET LOCAL synchronize_seqscans = off")
        # What this snapshot sees of the captured changes, it also sees in the leaves.
        connection.execute(sql.SQL("DELETE FROM {}").format(side_table(copy.policy)))
        _create(connection, copy)
        for old in copy.old:
            connection.execute(
                sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM ONLY {}").format(
                    copy.routing, old, names=listed(copy.columns)
                )
            )
        for span in copy.spans:
            index_and_analyse(connection, copy.policy, span)
        if copy.rest:
            # What belongs nowhere may also be there twice.
            without_unique = copy.policy.model_copy(update={"unique": ()})
            build_indexes(connection, without_unique, "staging", bare_name(copy.rest))
    for leaf in copy.aside:
        # Otherwise the first readers would write to every page, and years later one vacuum to all of them at once.
        with translated():
            connection.execute(sql.SQL("VACUUM (FREEZE) {}").format(leaf))


def _make_net_table(connection: Connection, copy: Copy) -> None:
    with translated():
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(NET))
        connection.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE cauri_net ON COMMIT DELETE ROWS AS"
                " SELECT {}, ''::text AS cauri_row, 0::bigint AS cauri_net FROM ONLY {} WITH NO DATA"
            ).format(listed(copy.columns), copy.old[0])
        )


def _create(connection: Connection, copy: Copy) -> None:
    policy, routing = copy.policy, copy.routing
    connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING GENERATED) PARTITION BY RANGE ({})").format(
            routing, parent_of(policy), sql.Identifier(policy.key)
        )
    )
    for span in copy.spans:
        leaf = create_aside(connection, policy, span, copy.timezone)
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} {}").format(
                routing, leaf, partition_clause(policy, span, copy.timezone)
            )
        )
    if copy.rest:
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING GENERATED)").format(
                copy.rest, parent_of(policy)
            )
        )
        connection.execute(sql.SQL("ALTER TABLE {} ATTACH PARTITION {} DEFAULT").format(routing, copy.rest))


def verify(connection: Connection, copy: Copy) -> Totals:
    """Compare rows and sums of the old leaves with those of the new ones, both as the caller's snapshot sees them.

    Raises:
        TargetError: they differ.
    """
    before = sum((control_totals(connection, _only(old), copy.columns) for old in copy.old), Totals())
    after = control_totals(connection, copy.routing, copy.columns)
    if before != after:
        differing = sorted(name for name in before.sums if before.sums[name] != after.sums.get(name))
        raise TargetError(
            f"{copy.policy.name}: {before.rows} rows in the old leaves, {after.rows} in the new ones;"
            f" sums differ in {', '.join(differing) or 'no column'}",
            remedy="nothing was changed; run the command again, and report this if it stays",
        )
    return after


def _only(table: sql.Identifier) -> sql.Composed:
    return sql.SQL("ONLY {}").format(table)
