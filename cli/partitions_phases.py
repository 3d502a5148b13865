"""What a command of `cauri partitions` would do, phase by phase, and what it did."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.console import print_json, stdout
from cli.partitions_plan import ended
from partitions.phases import Phase
from partitions.swap import Replaced

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", envvar="CAURI_DRY_RUN", help="Print the steps with their locks and SQL; change nothing."),
]


def print_phases(phases: Sequence[Phase], *, json: bool) -> None:
    """The phases of a change that is not made."""
    if json:
        print_json({"status": "planned", "phases": [phase.to_json() for phase in phases]})
        return
    for number, phase in enumerate(phases, 1):
        stdout.print(f"[bold]{number}[/] ", end="")
        stdout.print(phase.what, markup=False)
        stdout.print(f"  lock: {phase.lock}", style="dim", markup=False)
        for text in phase.script:
            stdout.print(f"  {ended(text)}", markup=False)
    stdout.print("Dry run: nothing was changed.")


def swap_line(swap: Replaced) -> str:
    """One swap, for a person."""
    before, after = (_ends(names) for names in (swap.leaves_before, swap.leaves_after))
    return f"{before} -> {after}: {swap.rows:,} rows, readers waited {swap.locked_ms:.0f} ms at most"


def _ends(names: Sequence[str]) -> str:
    bare = [name.rpartition(".")[2] for name in names]
    return (
        " to ".join(dict.fromkeys([bare[0], bare[-1]])) + (f" ({len(bare)})" if len(bare) > 1 else "") if bare else "-"
    )
