"""What a person sees: progress and messages on stderr, results on stdout."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from engine.steps import STEPS
from warehouse.errors import CauriError, ConfigurationError
from warehouse.settings import Settings

if TYPE_CHECKING:
    from engine.discover import SourceFile

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False)

_COUNTED = {2: "rows", 6: "leaves"}


def table(title: str, *headings: str, numbers: int = 0) -> Table:
    """An empty table in the one style; its last `numbers` columns are aligned right."""
    result = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), title_style="bold")
    for place, heading in enumerate(headings):
        result.add_column(heading, justify="right" if place >= len(headings) - numbers else "left", overflow="fold")
    return result


def print_json(document: Any) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def decimals(value: float | None, places: int = 3) -> str:
    """A number of a table; a dash where there is none."""
    return "-" if value is None else f"{value:,.{places}f}"


def short(value: float | None) -> str:
    """A large number in four digits: 92.2 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if value is not None and abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):,.1f} {unit}"
    return decimals(value, 0)


def say_to_stderr(*, quiet: bool) -> Callable[[str], None]:
    """What a long command calls to say what it does."""
    return (lambda _: None) if quiet else (lambda message: stderr.print(f"  {message}", style="dim", soft_wrap=True))


def write_page(out: Path, text: str) -> None:
    """Write one HTML file whole or not at all; its folder is made. An empty text only tries whether it can be written.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists() and not out.is_file():
            # A folder is refused, a pipe is written to.
            with out.open("w", encoding="utf-8") as file:
                file.write(text)
        else:
            _replace(out.resolve(), text)
    except OSError as exc:
        raise ConfigurationError(
            f"{out} cannot be written: {exc.strerror}", remedy="choose another file (--out)"
        ) from None
    if text:
        stderr.print(f"Written: {out}", markup=False, soft_wrap=True)


def _replace(out: Path, text: str) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        if text:
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def end_with(error: CauriError, *, json: bool) -> NoReturn:
    """End a command whose results are printed: with `json` they say it all, and there is to be one object only."""
    if json:
        raise typer.Exit(error.exit_code) from error
    raise error


def stderr_is_json(settings: Settings) -> bool:
    """Whether stderr gets log lines in place of progress: if it was asked for, or nobody looks on."""
    return settings.log_format == "json" or (settings.log_format == "auto" and not stderr.is_terminal)


class StepProgress:
    """Shows the numbered steps: live on a terminal, a line a step elsewhere, nothing when `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._live = stderr.is_terminal and not quiet
        self._quiet = quiet
        self._counts: dict[int, int] = {}
        self._tasks: dict[int, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=stderr,
        )

    def __enter__(self) -> "StepProgress":
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._progress.stop()

    def begin(self, step: int, name: str, total: int | None) -> None:
        """A step begins."""
        self._counts[step] = 0
        if self._live:
            self._tasks[step] = self._progress.add_task(f"{step} {name}", total=total, rate="")

    def advance(self, step: int, amount: int) -> None:
        """Rows or leaves went through."""
        self._counts[step] += amount
        if self._live:
            task = self._progress.tasks[self._tasks[step]]
            elapsed = task.elapsed or 0
            rate = f"{self._counts[step] / elapsed:,.0f} rows/s" if step == 2 and elapsed else ""
            self._progress.update(self._tasks[step], advance=amount, rate=rate)

    def end(self, step: int, seconds: float) -> None:
        """A step ended."""
        count = self._counts[step]
        if self._live:
            self._progress.update(self._tasks[step], total=count or 1, completed=count or 1)
        elif not self._quiet:
            what = f"{count:,} {_COUNTED[step]}" if step in _COUNTED and count else ""
            stderr.print(f"{step} {STEPS[step]:<20} {seconds:>8.2f} s  {what}")

    def opened(self, run_id: int, files: "Sequence[SourceFile]") -> None:
        """Shown at the end, with the summary."""

    def say(self, message: str) -> None:
        """A line for the person."""
        if not self._quiet:
            stderr.print(f"  {message}", style="dim", soft_wrap=True)
