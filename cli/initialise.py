"""`cauri init`."""

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.options import Json
from warehouse.connection import connect
from warehouse.keyring import bind
from warehouse.rights import grant_reading


def init(json: Json = False) -> None:
    """Make the warehouse: server (in local mode), schema, keys, rights of analysts. Safe to run again."""
    context = open_warehouse()
    with connect(context.url) as connection:
        bind(connection, context.settings, context.keyring)
        # Also where nothing was applied: the role may be younger than the schema.
        with connection.transaction():
            grant_reading(connection)
    if json:
        print_json({"status": "done", "applied": list(context.applied), "local": context.settings.is_local})
        return
    for name in context.applied:
        stdout.print(f"applied {name}")
    stdout.print("The warehouse is ready." if context.applied else "The warehouse was ready already.")
