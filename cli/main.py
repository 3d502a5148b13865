"""The `cauri` command. One thin function a command, each in the file of its name."""

import gc
import os
import sys

import typer
from dotenv import load_dotenv

from cli import (
    compare,
    database,
    fraud,
    health,
    initialise,
    load,
    nightly,
    partitions,
    quarantine,
    refresh,
    rfm,
    sample,
    show_sql,
    status,
)
from cli.failure import report, report_crash, say_stopped
from cli.signals import TerminatedError, heeded_signals
from warehouse.errors import CauriError, TransientTargetError

INTERRUPTED = 130

app = typer.Typer(
    help="The data warehouse of a mobile-money operator: files in, PostgreSQL star schema out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("init")(initialise.init)
app.command("sample")(sample.sample)
app.command("load")(load.load)
app.command("nightly")(nightly.nightly)
app.command("status")(status.status)
app.command("health")(health.health)
app.command("compare")(compare.compare)
app.command("refresh")(refresh.refresh)
app.command("sql")(show_sql.sql)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(partitions.app, name="partitions")
app.add_typer(fraud.app, name="fraud")
app.add_typer(rfm.app, name="rfm")
app.add_typer(database.app, name="db")


def main() -> None:
    """Run the command; errors become a message and an exit code.

    0 done, 1 failed, 2 usage or configuration, 3 refused by a gate, 75 try again later, 99 nothing to do.
    """
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
