"""New leaves follow what changed in the old ones since they were copied."""

from partitions.changes import side_table
from partitions.columns import listed
from partitions.control_totals import Totals, control_totals, totalled
from partitions.copies import NET, Copy, verify
from partitions.leaves import Statement
from partitions.policy import Policy
from warehouse.connection import Connection, sql, translated
from warehouse.errors import TargetError, TransientTargetError

# Statistics of fewer changed rows than these would take longer than any plan made without them.
_FEW = 1000


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
    taken = connection.execute(taking(copy)).rowcount
    if not taken:
        return Totals()
    _require_no_truncate(connection, copy.policy)
    if taken > _FEW:
        connection.execute(sql.SQL("ANALYZE {}").format(NET))
    change = control_totals(connection, changed_totals(copy), copy.columns)
    removed = sum(
        connection.execute(removing(sql.Identifier(schema, leaf)), (places,)).rowcount
        for schema, leaf, places in connection.execute(removable(copy)).fetchall()
    )
    inserted = connection.execute(inserting(copy)).rowcount
    if inserted - removed != change.rows:
        raise TargetError(
            f"{copy.policy.name}: changes come to {change.rows} rows, the new leaves to {inserted - removed}",
            remedy="nothing was changed; run the command again, and report this if it stays",
        )
    return change


def catching_up(copy: Copy) -> list[Statement]:
    """The SQL of a round, in which rows went from the first of the new leaves only."""
    places = sql.SQL("'{}'")
    return [taking(copy), changed_totals(copy), removable(copy), removing(copy.aside[0], places), inserting(copy)]


def taking(copy: Copy) -> sql.Composed:
    """Take what was written down, and add up how often each row came or went."""
    names = listed(copy.columns)
    row_text = sql.SQL("ROW({})::text").format(names)
    return sql.SQL(
        "WITH taken AS (DELETE FROM {side} RETURNING *),"
        " summed AS (SELECT DISTINCT ON (cauri_row) {names}, cauri_row, net FROM ("
        "SELECT {names}, {row} AS cauri_row, sum(cauri_sign) OVER (PARTITION BY {row}) AS net FROM taken"
        ") AS each)"
        " INSERT INTO {net} ({names}, cauri_row, cauri_net)"
        " SELECT {names}, cauri_row, net FROM summed WHERE net IS DISTINCT FROM 0"
    ).format(side=side_table(copy.policy), names=names, row=row_text, net=NET)


def changed_totals(copy: Copy) -> sql.Composed:
    """By how much the control totals change."""
    return totalled(NET, copy.columns, weight=sql.Identifier("cauri_net"))


def removable(copy: Copy) -> sql.Composed:
    """Where the rows that went stand, each as often as it went; what is found is the same in every letter."""
    same = [sql.SQL("t.{0} = n.{0}").format(column.identifier) for column in copy.columns if column.joinable]
    whole = sql.SQL("ROW({})::text = n.cauri_row").format(listed(copy.columns, "t"))
    return sql.SQL(
        "SELECT s.nspname, c.relname, f.places"
        " FROM (SELECT leaf, array_agg(place::text) AS places FROM ("
        "SELECT t.tableoid AS leaf, t.ctid AS place, -n.cauri_net AS wanted,"
        " row_number() OVER (PARTITION BY n.cauri_row) AS number"
        " FROM {net} n JOIN {routing} t ON {conditions} WHERE n.cauri_net < 0"
        ") AS each WHERE number <= wanted GROUP BY leaf) AS f"
        " JOIN pg_class c ON c.oid = f.leaf JOIN pg_namespace s ON s.oid = c.relnamespace"
    ).format(net=NET, routing=copy.routing, conditions=sql.SQL(" AND ").join([*same, whole]))


def removing(leaf: sql.Identifier, places: sql.Composable | None = None) -> sql.Composed:
    """Delete the rows at these places of a leaf."""
    return sql.SQL("DELETE FROM {} WHERE ctid = ANY ({}::tid[])").format(leaf, places or sql.Placeholder())


def inserting(copy: Copy) -> sql.Composed:
    """Insert the rows that came, each as often as it came."""
    return sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {}, generate_series(1, cauri_net)").format(
        copy.routing, NET, names=listed(copy.columns)
    )


def _require_no_truncate(connection: Connection, policy: Policy) -> None:
    row = connection.execute(sql.SQL("SELECT FROM {} WHERE cauri_net IS NULL LIMIT 1").format(NET)).fetchone()
    if row is not None:
        raise TransientTargetError(
            f"a leaf of {policy.name} was emptied while its rows were copied",
            remedy="nothing was changed; run the same command again",
        )
