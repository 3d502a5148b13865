"""`cauri status`."""

from typing import Any

from rich.table import Table

from cli.console import print_json, stdout, table
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
    stdout.print(_table_of("Last runs", found["runs"]))
    _writer_line(found["writer"])
    stdout.print(_table_of("Rows by feed", found["files"]))
    stdout.print(_table_of("Partitioned tables", [_in_mib(leaf) for leaf in found["leaves"]]))
    stdout.print(_table_of("Dimensions", found["tables"]))
    if found["quarantine"]:
        refused = sum(entry["rows"] for entry in found["quarantine"])
        stdout.print(f"Quarantine: {refused:,} failed rules in open rows; cauri quarantine list shows them.")
    _dashboards_line(found["dashboards"])
    fresh = found["freshness"]
    if fresh["last_success"]:
        stdout.print(f"Data until {fresh['last_day']}; last successful run {fresh['last_success']:%Y-%m-%d %H:%M} UTC.")


def _writer_line(writer: dict[str, Any] | None) -> None:
    if writer is None:
        return
    who = f"{writer['command']} {writer['run_id']}" if writer["run_id"] else "A command"
    lease = f", lease until {writer['lease_until']:%H:%M:%S} UTC" if writer["lease_until"] else ""
    state = "holds the writer lock and does not renew its lease" if writer["expired"] else "is writing"
    stdout.print(f"{who} {state} (session {writer['pid']}{lease}).\n")


def _dashboards_line(views: list[dict[str, Any]]) -> None:
    stale = [view["view_name"] for view in views if view["is_stale"]]
    if stale:
        stdout.print(f"Dashboards: {len(stale)} of {len(views)} views are stale; cauri refresh brings them up to date.")
        return
    newest = max(view["refreshed_at"] for view in views)
    stdout.print(f"Dashboards: all {len(views)} views are up to date; last refreshed {newest:%Y-%m-%d %H:%M} UTC.")


def _in_mib(leaf: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in leaf.items() if name != "bytes"}, "MiB": round(leaf["bytes"] / MIB)}


def _table_of(title: str, rows: list[dict[str, Any]]) -> Table:
    first = rows[0] if rows else {}
    numbers = sum(isinstance(value, int | float) for value in first.values())
    shown = table(title, *first, numbers=numbers)
    for row in rows:
        shown.add_row(*(_shown(value) for value in row.values()))
    return shown


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:%m-%d %H:%M}" if hasattr(value, "hour") else str(value)
