"""`cauri status`."""

from typing import Any

from rich.table import Table

from cli.console import print_json, stdout
from cli.context import open_warehouse
from cli.options import Json
from warehouse.connection import connect
from warehouse.overview import overview

MIB = 1024 * 1024


def status(json: Json = False) -> None:
    """Show what the warehouse holds: last runs, rows by feed, leaves, dimensions, quarantine, freshness."""
    with connect(open_warehouse().url) as connection:
        found = overview(connection)
    if json:
        print_json(found)
        return
    if not found["runs"]:
        stdout.print("The warehouse is empty. Next: cauri load DIRECTORY (or cauri load for a sample).")
        return
    stdout.print(_table("Last runs", found["runs"]))
    stdout.print(_table("Rows by feed", found["files"]))
    for leaf in found["leaves"]:
        leaf["MiB"] = f"{leaf.pop('bytes') / MIB:,.0f}"
    stdout.print(_table("Partitioned tables", found["leaves"]))
    stdout.print(_table("Dimensions", found["tables"]))
    if found["quarantine"]:
        refused = sum(entry["count"] for entry in found["quarantine"])
        stdout.print(f"Quarantine: {refused:,} failed rules in open rows; cauri quarantine list shows them.")
    fresh = found["freshness"]
    stdout.print(f"Data until {fresh['last_day']}, last successful run {fresh['last_success']:%Y-%m-%d %H:%M} UTC.")


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name, value in (rows[0] if rows else {}).items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:%Y-%m-%d %H:%M:%S}" if hasattr(value, "hour") else str(value)
