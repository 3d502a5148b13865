"""Who may read what, where the server has the roles for it: analysts the views, nobody the leaves."""

from warehouse.connection import Connection, sql
from warehouse.queries import query

READER = "analyst_role"


def grant_reading(connection: Connection) -> int:
    """Let `analyst_role` read the views, if there is such a role; return the number of relations.

    Nothing is granted by default privileges or on whole schemas: a leaf that could be read directly would bypass what
    stands on its parent.
    """
    if connection.execute(query("roles/is_audited")).fetchone() == (True,):
        connection.execute(query("roles/audit_vault"))
    found = connection.execute(query("roles/readable")).fetchall()
    role = sql.Identifier(READER)
    for schema in sorted({schema for schema, _, _ in found}):
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), role))
    for schema, relation, columns in found:
        connection.execute(
            sql.SQL("GRANT SELECT {} ON {} TO {}").format(_columns(columns), sql.Identifier(schema, relation), role)
        )
    return len(found)


def _columns(names: list[str] | None) -> sql.Composable:
    if names is None:
        return sql.SQL("")
    return sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, names)))
