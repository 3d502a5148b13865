"""Core seconds of the server by statement, in a load: what PostgreSQL itself says (`log_statement_stats`).

`python -m bench.statements --rows 3m`
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bill import bill_of
from bench.server import Server, running_server
from bench.sizes import rows_of
from bench.sources import Source
from warehouse.connection import connect

# The lines of a report that matter: user and system seconds, and the statement. One with parameters has three reports.
_REPORT = re.compile(
    r"(QUERY|PARSE MESSAGE|BIND MESSAGE|EXECUTE MESSAGE) STATISTICS\n"
    r"[^\n]*system usage stats:\n\s*!\s+([\d.]+) s user, ([\d.]+) s system.*?STATEMENT:\s+([^\n]*)",
    re.DOTALL,
)
_ONCE = ("QUERY", "EXECUTE MESSAGE")
_SHOWN, _WIDTH = 20, 90


@contextmanager
def _reported(server: Server) -> Iterator[Path]:
    """Let the server report on each statement in the log that is given."""
    settings = {"log_statement_stats": "on", "log_min_error_statement": "log", "log_error_verbosity": "default"}
    with connect(server.url) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
        row = connection.execute("SELECT pg_current_logfile()").fetchone()
        try:
            yield Path(row[0] if row else "")
        finally:
            for name in settings:
                connection.execute(f"ALTER SYSTEM RESET {name}")
            connection.execute("SELECT pg_reload_conf()")


def seconds_by_statement(log: str) -> dict[str, tuple[int, float]]:
    """Statement, without its numbers -> how often it ran, and its core seconds."""
    found: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for what, user, system, text in _REPORT.findall(log):
        statement = re.sub(r"\d+", "N", text)[:_WIDTH]
        times, seconds = found[statement]
        found[statement] = times + (what in _ONCE), seconds + float(user) + float(system)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="just bench-statements", description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m, 36m or a number")
    options = parser.parse_args()
    with running_server() as server, _reported(server) as log:
        source = Source(options.rows, "csv").folder(server.folder)
        before = log.stat().st_size
        bill_of(server, source)
        found = seconds_by_statement(log.read_text(errors="replace")[before:])
    for statement, (times, seconds) in sorted(found.items(), key=lambda item: -item[1][1])[:_SHOWN]:
        print(f"{seconds:8.2f} {times:6d}  {statement}")
    print(f"{sum(seconds for _, seconds in found.values()):8.2f} {'':6}  all")


if __name__ == "__main__":
    main()
