"""A command that is attended: progress for a person, or log lines; metrics, lineage and alerts after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.console import StepProgress, stderr_is_json
from cli.context import Context
from operations import logs
from operations.attendant import Attendant, attended


@contextmanager
def attended_progress(command: str, context: Context, *, quiet: bool = False) -> Iterator[Attendant]:
    """The watcher for the engine; tell it the summary with `finished`."""
    in_json = stderr_is_json(context.settings)
    logs.configure(context.settings, stderr_json=in_json, quiet=quiet)
    with (
        StepProgress(quiet=quiet or in_json) as progress,
        attended(command, context.settings, context.url, progress) as attendant,
    ):
        yield attendant
