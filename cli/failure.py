"""How a command that failed says so."""

import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

from cli.console import print_json, stderr, stderr_is_json
from warehouse.errors import CauriError, ConfigurationError, DataRefusedError, NothingToDoError
from warehouse.settings import Settings, read_settings


def report(error: CauriError) -> None:
    """Message and remedy on stderr, and on stdout too if it is to be JSON."""
    settings = _settings()
    message, remedy = _redacted(settings, error.message), _redacted(settings, error.remedy)
    nothing = isinstance(error, NothingToDoError)
    if "--json" in sys.argv or os.environ.get("CAURI_JSON", "").lower() in ("1", "true", "yes"):
        print_json({**_kind(error), "message": message, "remedy": remedy})
    label = "[bold]nothing to do:[/] " if nothing else "[bold red]error:[/] "
    _say(settings, message, remedy, label=label, level=logging.INFO if nothing else logging.ERROR)


def _kind(error: CauriError) -> dict[str, Any]:
    if isinstance(error, NothingToDoError):
        return {"status": "nothing"}
    if isinstance(error, DataRefusedError):
        return {"status": "refused", "error": type(error).__name__, "gate": error.facts.get("gate", [])}
    return {"status": "error", "error": type(error).__name__}


def report_crash(error: Exception) -> None:
    """A defect of ours: its traceback, redacted."""
    settings = _settings()
    text = "".join(traceback.format_exception(error))
    _say(settings, f"{type(error).__name__}: this should not have happened\n{_redacted(settings, text)}", "")


def say_stopped(message: str) -> None:
    """The command was stopped by a signal."""
    _say(_settings(), message, "", label="", level=logging.WARNING)


def _say(
    settings: Settings | None,
    message: str,
    remedy: str,
    *,
    label: str = "[bold red]error:[/] ",
    level: int = logging.ERROR,
) -> None:
    if settings is not None and _log(settings, level, message, remedy):
        return
    stderr.print(f"{label}{_escaped(message)}", soft_wrap=True)
    if remedy:
        stderr.print(f"  [bold]->[/] {_escaped(remedy)}", soft_wrap=True)


def _log(settings: Settings, level: int, message: str, remedy: str) -> bool:
    """Write it into the log; whether that was stderr, so that nothing more need be said."""
    in_json = stderr_is_json(settings)
    if in_json or settings.home_path.exists():
        from operations import logs  # noqa: PLC0415 - a fifth of a second

        logs.configure(settings, stderr_json=in_json)
        logging.getLogger("cauri").log(level, message, extra={"remedy": remedy})
    return in_json


def _settings() -> Settings | None:
    with suppress(ConfigurationError):
        return read_settings()
    return None


def _redacted(settings: Settings | None, text: str) -> str:
    from operations.redaction import Redactor  # noqa: PLC0415

    return Redactor(settings.secrets(), settings.redact).text(text) if settings else Redactor().text(text)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
