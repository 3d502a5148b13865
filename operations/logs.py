"""Log lines: JSON, each with the run and the step it belongs to, redacted; to a file, and to stderr if nobody looks on.

The floors below write to Python's `logging` and know nothing of this.
"""

import logging
import os
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from operations.redaction import Redactor
from warehouse.settings import Settings

FILE_NAME = "cauri.log"
MAX_BYTES = 10 * 1024 * 1024
BACKUPS = 9


def redactor_of(settings: Settings) -> Redactor:
    """A redactor that knows the secrets of the settings."""
    return Redactor(settings.secrets(), settings.redact)


def log_file(settings: Settings) -> Path:
    """Where the newest lines are."""
    return settings.home_path / "logs" / FILE_NAME


def configure(settings: Settings, *, stderr_json: bool, quiet: bool = False) -> None:
    """Begin to log; calling it again replaces what was configured before."""
    import structlog  # noqa: PLC0415 - a third of a second, which `--help` need not wait for

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _add_moment,
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redactor_of(settings),
            structlog.processors.JSONRenderer(default=str),
        ],
        # The traceback is in the event already, redacted.
        keep_exc_info=False,
    )
    # A log that cannot be written is no reason to stop, nor to fill stderr.
    logging.raiseExceptions = False
    handlers = [handler for handler in (_file_handler(settings),) if handler]
    if stderr_json:
        on_stderr: logging.Handler = logging.StreamHandler()
        on_stderr.setLevel(logging.WARNING if quiet else logging.NOTSET)
        handlers.append(on_stderr)
    _replace_handlers(handlers, formatter, settings.log_level.upper())


def _add_moment(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Of the record, not of the formatting: a line has one moment wherever it is written.
    moment = datetime.fromtimestamp(event["_record"].created, UTC)
    return {"timestamp": moment.isoformat(timespec="microseconds"), **event}


def _replace_handlers(handlers: list[logging.Handler], formatter: logging.Formatter, level: str) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if getattr(handler, "of_cauri", False)]:
        root.removeHandler(old)
        # On a full disk it may hold a line that it cannot get rid of.
        with suppress(OSError):
            old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.of_cauri = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level)


def _file_handler(settings: Settings) -> logging.Handler | None:
    path = log_file(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True)
    except OSError:
        return None
    return handler


class _PrivateFile(RotatingFileHandler):
    """A log file that its owner alone can read."""

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


def bind(**values: Any) -> None:
    """Put these values on each line from now on; None takes one off."""
    import structlog  # noqa: PLC0415

    structlog.contextvars.unbind_contextvars(*(name for name, value in values.items() if value is None))
    structlog.contextvars.bind_contextvars(**{name: value for name, value in values.items() if value is not None})


def unbind_all() -> None:
    """Take all values off the lines that follow."""
    import structlog  # noqa: PLC0415

    structlog.contextvars.clear_contextvars()
