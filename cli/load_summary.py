"""What a load did, for a person."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from cli.afterwards import DASHBOARDS, Afterwards
from cli.console import print_json, stdout, table
from engine.summary import Summary
from warehouse.errors import DataRefusedError

if TYPE_CHECKING:
    from engine.maintenance import Maintenance

MIB = 1024 * 1024

# Of each feed; quarantine lists them all.
REASONS_SHOWN = 8


def tell(summary: Summary, *, json: bool, after: Sequence[Afterwards] = ()) -> None:
    """Print what a load, or a nightly run, did; a dry run ends here if the gate would have refused it.

    `after` is what was done after the load.
    """
    if json:
        print_json(reduce(or_, (one.to_json() for one in after), summary.to_json()))
    else:
        _show(summary, after)
    if summary.status == "planned" and any(not breach["accepted"] for breach in summary.gate):
        raise typer.Exit(DataRefusedError.exit_code)


def _show(summary: Summary, after: Sequence[Afterwards]) -> None:
    if summary.status != "nothing":
        _show_load(summary)
    if summary.maintenance:
        _show_maintenance(summary.maintenance)
    for one in after:
        stdout.print(one.line, markup=False)
    if summary.status == "done":
        stdout.print("\nWhere to look next:")
        if not any(one.name == DASHBOARDS and one.error is None for one in after):
            stdout.print("  uv run cauri refresh                bring the dashboards up to date, then:")
        stdout.print("  uv run just report                  the dashboards, as one file for a browser")
        stdout.print("  uv run cauri status                 what the warehouse holds")
        stdout.print("  uv run cauri quarantine list        the rejected rows, with their reasons and what to do")
        stdout.print(
            "  uv run cauri db psql                then: SELECT * FROM dwh.mv_daily_kpi ORDER BY 1 DESC LIMIT 9;"
        )


def _show_load(summary: Summary) -> None:
    document = summary.to_json()
    stdout.print(_feeds_table(document["feeds"]))
    if document["rejected_by_reason"]:
        stdout.print(reasons_table("Rejected rows by reason", document["feeds"]))
    _leaves_line(document["leaves"])
    _gate_lines(document["gate"], planned=document["status"] == "planned")
    if document["status"] == "planned":
        stdout.print("Dry run: nothing was written.")
        return
    stdout.print(
        f"{document['rows']['read']:,} rows in {document['seconds']:.1f} s: {document['rows_per_second']:,} rows/s, "
        f"peak memory {document['peak_rss_bytes'] / MIB:,.0f} MiB, run {document['run_id']}"
    )
    stdout.print(
        f"Created: {summary.new_beneficiaries:,} beneficiaries, {summary.inferred_clients:,} inferred clients."
    )
    if summary.restated_facts:
        stdout.print(f"Restated: {summary.restated_facts:,} facts point at another version of their client now.")


def _gate_lines(breaches: list[dict[str, Any]], *, planned: bool) -> None:
    for breach in breaches:
        verdict = "would be refused" if planned else "published, because an interrupted run had begun to"
        verdict = f"accepted by --accept {breach['expectation']}" if breach["accepted"] else verdict
        stdout.print(f"Gate, {verdict}: {breach['message']}", markup=False)


def _show_maintenance(done: "Maintenance") -> None:
    if done.recomputed_cells:
        stdout.print(f"Recomputed {done.recomputed_cells:,} cells that an interrupted run had left.")
    stdout.print(f"Partitions: {len(done.steps)} step(s) done." if done.steps else "Partitions: nothing to do.")
    for problem in done.problems:
        stdout.print(f"problem: {problem} (cauri partitions plan says more)", markup=False)


def _feeds_table(feeds: dict[str, Any]) -> Table:
    names = ("read", "loaded", "updated", "repeated", "rejected")
    shown = table("Rows by feed", "feed", *names, numbers=len(names))
    for feed, counts in feeds.items():
        shown.add_row(feed, *(f"{counts[name]:,}" for name in names))
    return shown


def reasons_table(title: str, feeds: dict[str, Any]) -> Table:
    """The most frequent reasons of each feed."""
    shown = table(title, "feed", "reason", "rows", numbers=1)
    for feed, counts in feeds.items():
        reasons = list(counts["rejected_by_reason"].items())
        for reason, rows in reasons[:REASONS_SHOWN]:
            shown.add_row(feed, reason, f"{rows:,}")
        if reasons[REASONS_SHOWN:]:
            rest = sum(rows for _, rows in reasons[REASONS_SHOWN:])
            shown.add_row(feed, f"... {len(reasons) - REASONS_SHOWN} more reasons", f"{rest:,}")
    return shown


def _leaves_line(leaves: list[dict[str, Any]]) -> None:
    if not leaves:
        return
    by_action: dict[str, list[str]] = {}
    for leaf in leaves:
        by_action.setdefault(leaf["action"], []).append(leaf["leaf"])
    words = {"build": "built new", "merge": "merged into", "done": "built by an earlier run"}
    for action, names in by_action.items():
        stdout.print(f"Leaves {words[action]}: {len(names)} ({names[0]} to {names[-1]})")
