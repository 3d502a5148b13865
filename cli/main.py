"""The `cauri` command. One thin function a command, each in the file of its name."""

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module, metadata
from typing import Annotated

import typer
from dotenv import load_dotenv

from cli.failure import report, report_crash, say_stopped
from cli.signals import TerminatedError, heeded_signals
from warehouse.errors import CauriError, TransientTargetError

INTERRUPTED = 130

# Command, or group of commands -> module and name. To import them all takes a quarter of a second longer than `load`.
_PLACES = {
    "init": ("initialise", "init"),
    "sample": ("sample", "sample"),
    "load": ("load", "load"),
    "nightly": ("nightly", "nightly"),
    "status": ("status", "status"),
    "health": ("health", "health"),
    "compare": ("compare", "compare"),
    "refresh": ("refresh", "refresh"),
    "sql": ("show_sql", "sql"),
    "quarantine": ("quarantine", "app"),
    "partitions": ("partitions", "app"),
    "fraud": ("fraud", "app"),
    "rfm": ("rfm", "app"),
    "report": ("report", "report"),
    "db": ("database", "app"),
}


def application(asked: str = "") -> typer.Typer:
    """The command line: with the command that is asked for, or with all of them if there is none of that name."""
    app = typer.Typer(
        help="The data warehouse of a mobile-money operator: files in, PostgreSQL star schema out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    # With a single command and without this, the command would have no name.
    app.callback()(_before)
    for name in _needed(asked):
        module, place = _PLACES[name]
        command = getattr(import_module(f"cli.{module}"), place)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _needed(asked: str) -> Iterable[str]:
    if asked == "--version":
        return ()
    return (asked,) if asked in _PLACES else _PLACES


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cauri {metadata.version('cauri')}")
        raise typer.Exit


def _before(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version and exit.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command; errors become a message and an exit code.

    0 done, 1 failed, 2 usage or configuration, 3 refused by a gate, 75 try again later, 99 nothing to do.
    """
    app = application(*sys.argv[1:2])
    gc.freeze()
    gc.enable()
    load_dotenv(".env")
    try:
        with heeded_signals():
            app()
    except CauriError as error:
        report(error)
        sys.exit(error.exit_code)
    except TerminatedError:
        say_stopped("Stopped by SIGTERM. What was committed is kept; the same command goes on from there.")
        sys.exit(TransientTargetError.exit_code)
    except KeyboardInterrupt:
        say_stopped("Interrupted. What was committed is kept; the same command goes on from there.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone (`cauri ... | head`): that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        report_crash(error)
        sys.exit(CauriError.exit_code)
