"""What hangs on a table that is about to go."""

from collections.abc import Collection

from partitions.leaves import plain_name
from warehouse.connection import Connection, sql
from warehouse.errors import TargetError
from warehouse.queries import query


def require_no_dependents(connection: Connection, table: sql.Identifier, *, but: Collection[str] = ()) -> None:
    """Refuse a table that views, foreign keys, triggers or the like hang on, apart from kinds named in `but`.

    Raises:
        TargetError: naming each of them.
    """
    found = connection.execute(query("replace/dependents"), {"table": table.as_string()}).fetchall()
    named = [f"{kind} {name}" for kind, name in found if kind not in but]
    if named:
        raise TargetError(
            f"{plain_name(table)} cannot be replaced, {len(named)} object(s) depend on it: {', '.join(named)}",
            remedy="drop them, and make them again on the partitioned table afterwards",
            dependents=named,
        )
