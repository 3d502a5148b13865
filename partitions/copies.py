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
from warehouse.errors import TargetError, TransientTargetError

_NET = sql.Identifier("pg_temp", "cauri_net")


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
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_NET))
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


def verified(connection: Connection, copy: Copy) -> Totals:
    """Catch up, and compare everything by one snapshot, while readers and writers go on; return the totals."""
    with translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        catch_up(connection, copy)
        return verify(connection, copy)


def catch_up(connection: Connection, copy: Copy) -> Totals:
    """Bring the new leaves up to the changes that the caller's transaction sees; return by how much totals changed.

    Raises:
        TransientTargetError: a leaf was emptied with TRUNCATE: the copy has to begin again.
        TargetError: a row that went is not in the new leaves.
    """
    names = listed(copy.columns)
    row_text = sql.SQL("ROW({})::text").format(names)
    taken = connection.execute(
        sql.SQL(
            "WITH taken AS (DELETE FROM {side} RETURNING *),"
            " summed AS (SELECT DISTINCT ON (cauri_row) {names}, cauri_row, net FROM ("
            "SELECT {names}, {row} AS cauri_row, sum(cauri_sign) OVER (PARTITION BY {row}) AS net FROM taken"
            ") AS each)"
            " INSERT INTO {net} ({names}, cauri_row, cauri_net)"
            " SELECT {names}, cauri_row, net FROM summed WHERE net IS DISTINCT FROM 0"
        ).format(side=side_table(copy.policy), names=names, row=row_text, net=_NET)
    ).rowcount
    if not taken:
        return Totals()
    _require_no_truncate(connection, copy.policy)
    if taken > _FEW:
        connection.execute(sql.SQL("ANALYZE {}").format(_NET))
    change = control_totals(connection, _NET, copy.columns, weight=sql.Identifier("cauri_net"))
    removed = _remove(connection, copy)
    inserted = connection.execute(
        sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {}, generate_series(1, cauri_net)").format(
            copy.routing, _NET, names=names
        )
    ).rowcount
    if inserted - removed != change.rows:
        raise TargetError(
            f"{copy.policy.name}: changes come to {change.rows} rows, the new leaves to {inserted - removed}",
            remedy="nothing was changed; run the command again, and report this if it stays",
        )
    return change


# Statistics of fewer changed rows than these would take longer than any plan made without them.
_FEW = 1000


def _require_no_truncate(connection: Connection, policy: Policy) -> None:
    row = connection.execute(sql.SQL("SELECT FROM {} WHERE cauri_net IS NULL LIMIT 1").format(_NET)).fetchone()
    if row is not None:
        raise TransientTargetError(
            f"a leaf of {policy.name} was emptied while its rows were copied",
            remedy="nothing was changed; run the same command again",
        )


def _remove(connection: Connection, copy: Copy) -> int:
    """Delete the rows that went, each as often as it went; what is found is the same in every letter."""
    same = [sql.SQL("t.{0} = n.{0}").format(column.identifier) for column in copy.columns if column.joinable]
    whole = sql.SQL("ROW({})::text = n.cauri_row").format(listed(copy.columns, "t"))
    found = connection.execute(
        sql.SQL(
            "SELECT s.nspname, c.relname, f.places"
            " FROM (SELECT leaf, array_agg(place::text) AS places FROM ("
            "SELECT t.tableoid AS leaf, t.ctid AS place, -n.cauri_net AS wanted,"
            " row_number() OVER (PARTITION BY n.cauri_row) AS number"
            " FROM {net} n JOIN {routing} t ON {conditions} WHERE n.cauri_net < 0"
            ") AS each WHERE number <= wanted GROUP BY leaf) AS f"
            " JOIN pg_class c ON c.oid = f.leaf JOIN pg_namespace s ON s.oid = c.relnamespace"
        ).format(net=_NET, routing=copy.routing, conditions=sql.SQL(" AND ").join([*same, whole]))
    ).fetchall()
    return sum(
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE ctid = ANY (%s::tid[])").format(sql.Identifier(schema, leaf)), (places,)
        ).rowcount
        for schema, leaf, places in found
    )
