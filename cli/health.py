"""`cauri health`."""

import typer

from cli.console import print_json, stdout, table
from cli.context import local_server
from cli.options import Json
from operations.health import Check, examine
from warehouse.errors import TransientTargetError
from warehouse.settings import Settings, read_settings

UNHEALTHY = 1


def health(json: Json = False) -> None:
    """Say whether the warehouse is well, for monitors: exit 0 if it is, 1 if not, 75 if the database is away."""
    settings = read_settings()
    try:
        checks = examine(settings, _url(settings))
    except TransientTargetError as error:
        checks = [Check("database", healthy=False, found=error.message, remedy=error.remedy)]
        _show(checks, json=json)
        raise typer.Exit(TransientTargetError.exit_code) from None
    _show(checks, json=json)
    if not all(check.healthy for check in checks):
        raise typer.Exit(UNHEALTHY)


def _url(settings: Settings) -> str:
    """Address of the warehouse; a monitor does not start its server."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = local_server(settings)
    if not server.is_running():
        raise TransientTargetError("the local server does not run", remedy="cauri db start")
    return server.url


def _show(checks: list[Check], *, json: bool) -> None:
    if json:
        status = "healthy" if all(check.healthy for check in checks) else "unhealthy"
        print_json({"status": status, "checks": [check.to_json() for check in checks]})
        return
    shown = table("Health", "check", "well", "found", "remedy")
    for check in checks:
        shown.add_row(check.name, "yes" if check.healthy else "NO", check.found, check.remedy)
    stdout.print(shown)
