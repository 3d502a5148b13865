"""What hangs on a table that is about to go."""

from collections.abc import Collection

from partitions.leaves import plain_name
from warehouse.connection import Connection, sql
from warehouse.errors import TargetError
from warehouse.queries import query


def dependents_of(connection: Connection, table: sql.Identifier, *, but: Collection[str] = ()) -> list[str]:
    """Views, foreign keys, triggers or the like that hang on a table, each with its kind, apart from kinds in `but`."""
    found = connection.execute(query("replace/dependents"), {"table": table.as_string()}).fetchall()
    return [f"{kind} {name}" for kind, name in found if kind not in but]


def require_no_dependents(connection: Connection, table: sql.Identifier, *, but: Collection[str] = ()) -> None:
    """Refuse a table that something hangs on.

    Raises:
        TargetError: naming each of them.
    """
    named = dependents_of(connection, table, but=but)
    if named:
        raise TargetError(
            f"{plain_name(table)} cannot be replaced, {len(named)} object(s) depend on it: {', '.join(named)}",
            remedy="drop them, and make them again on the partitioned table afterwards",
            dependents=named,
        )
