"""`cauri db`."""

import os
import shutil

import typer

from cli.console import print_json, stdout
from cli.context import local_server, warehouse_url
from cli.options import Json
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings, read_settings

app = typer.Typer(help="The database server of local mode, and the address of the warehouse.", no_args_is_help=True)


def _local_settings() -> Settings:
    settings = read_settings()
    if not settings.is_local:
        raise ConfigurationError(
            "CAURI_DATABASE_URL is set: that server is not ours to start or stop", remedy="unset it for local mode"
        )
    return settings


@app.command()
def start(json: Json = False) -> None:
    """Start the local server; a running one is left alone."""
    url = local_server(_local_settings()).start()
    _say(json, "running", url)


@app.command()
def stop(json: Json = False) -> None:
    """Stop the local server; a stopped one is left alone."""
    local_server(_local_settings()).stop()
    _say(json, "stopped", None)


@app.command()
def url() -> None:
    """Print the address of the warehouse, starting the local server if need be. It may hold a password."""
    stdout.print(warehouse_url(read_settings()), markup=False, soft_wrap=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(ctx: typer.Context) -> None:
    """Open psql on the warehouse; arguments after `--` go to it."""
    from warehouse.address import without_password  # noqa: PLC0415 - the driver, which the other commands do without

    settings = read_settings()
    address, password = without_password(warehouse_url(settings))
    command = local_server(settings).psql_command() if settings.is_local else ["psql", address]
    program = shutil.which(command[0])
    if program is None:
        raise ConfigurationError("psql is not installed", remedy="install PostgreSQL's client, or set CAURI_PG_BINDIR")
    # Everybody on the machine can read a command line.
    environment = {**os.environ} if password is None else {**os.environ, "PGPASSWORD": password}
    os.execve(program, [*command, *ctx.args], environment)  # noqa: S606 - the person asked for this program


def _say(json: bool, state: str, address: str | None) -> None:
    if json:
        print_json({"status": "done", "server": state, "url": address})
    else:
        stdout.print(f"The server is {state}." + (f" {address}" if address else ""), markup=False, soft_wrap=True)
