"""Stands by a run from its beginning to its end: log, lineage, metrics, and an alert if it goes wrong.

Whatever goes wrong here is logged and changes nothing about the run.
"""

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from engine.discover import SourceFile
from engine.steps import Watcher
from engine.summary import Summary
from operations import logs
from operations.alert import Webhook
from operations.lineage import Lineage
from operations.log_watcher import LogWatcher
from operations.metrics import write_metrics
from warehouse.connection import connect
from warehouse.errors import CauriError, DataRefusedError, NothingToDoError, TransientTargetError
from warehouse.overview import vitals
from warehouse.settings import Settings

log = logging.getLogger("cauri.run")


class Attendant(LogWatcher):
    """A watcher that passes on to `progress` what it sees."""

    def __init__(self, command: str, settings: Settings, url: str, progress: Watcher) -> None:
        super().__init__()
        self._command, self._settings, self._url, self._progress = command, settings, url, progress
        self._redact = logs.redactor_of(settings).text
        self._started_at = datetime.now(UTC)
        self._run_id: int | None = None
        self._lineage: Lineage | None = None
        self._summary: Summary | None = None

    def begin(self, step: int, name: str, total: int | None) -> None:
        super().begin(step, name, total)
        self._progress.begin(step, name, total)

    def advance(self, step: int, amount: int) -> None:
        super().advance(step, amount)
        self._progress.advance(step, amount)

    def end(self, step: int, seconds: float) -> None:
        super().end(step, seconds)
        self._progress.end(step, seconds)

    def say(self, message: str) -> None:
        super().say(message)
        self._progress.say(message)

    def opened(self, run_id: int, files: Sequence[SourceFile]) -> None:
        super().opened(run_id, files)
        self._run_id = run_id
        if self._settings.lineage:
            path = self._settings.lineage.expanduser().resolve()
            self._lineage = Lineage(path, self._url, self._command, run_id, self._started_at, files)
            self._safely("lineage", self._lineage.start)
        self._progress.opened(run_id, files)

    def finished(self, summary: Summary) -> None:
        """The run ended well, or had nothing to do."""
        self._summary = summary

    def went_wrong(self, what: str, error: CauriError) -> None:
        """What is done after the load failed; the load itself did not."""
        self._tell(error, what)

    def close(self) -> None:
        """Tell of a run that ended without an error."""
        logs.bind(step=None)
        if self._summary is None:
            log.info("done")
            return
        document = self._summary.to_json()
        facts = {name: document[name] for name in ("status", "rows", "seconds", "rows_per_second", "peak_rss_bytes")}
        log.info("run done", extra=facts)
        if self._lineage:
            self._safely("lineage", partial(self._lineage.complete, document))
        if self._summary.maintenance and self._summary.maintenance.error:
            self._tell(self._summary.maintenance.error, "maintenance")
        self._safely("metrics", self._write_metrics)

    def failed(self, error: BaseException) -> None:
        """Tell of a run that an error or a signal ended."""
        message = self._tell(error, "run")
        if self._lineage:
            self._safely("lineage", partial(self._lineage.fail, message, stopped=isinstance(error, KeyboardInterrupt)))
        self._safely("metrics", self._write_metrics)

    def _tell(self, error: BaseException, what: str) -> str:
        """Log what went wrong and send the alert; return the message without what nobody may read."""
        stopped = isinstance(error, KeyboardInterrupt)
        message = "stopped by a signal" if stopped else self._redact(_message(error))
        event = "stopped" if stopped else _event(error)
        extra = {"event_kind": event, "message_of_error": message, "remedy": getattr(error, "remedy", "")}
        known = isinstance(error, CauriError) or stopped
        log.error(f"{what} {event}", extra=extra, exc_info=None if known else error)
        self._safely("alert", lambda: self._alert(event, message, extra["remedy"], stopped=stopped))
        return message

    def _write_metrics(self) -> None:
        with connect(self._url) as connection:
            facts = vitals(connection)
        write_metrics(self._settings.metrics_path, facts, datetime.now(UTC))

    def _alert(self, event: str, message: str, remedy: str, *, stopped: bool) -> None:
        url, secret = self._settings.alert_url, self._settings.alert_secret
        if url is None or secret is None:
            return
        # Who sent the signal will not wait long.
        attempts = {"attempts": 1} if stopped else {}
        Webhook(url.get_secret_value(), secret.get_secret_value(), **attempts).send(
            {
                "event": event,
                "command": self._command,
                "run": self._run_id,
                "message": message,
                "remedy": self._redact(remedy),
                "host": socket.gethostname(),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )

    def _safely(self, what: str, work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception as exc:
            log.warning(f"{what} not written", extra={"error": f"{type(exc).__name__}: {exc}"})


@contextmanager
def attended(command: str, settings: Settings, url: str, progress: Watcher) -> Iterator[Attendant]:
    """Stand by a run: the watcher to give to the engine; `finished` takes its summary."""
    logs.unbind_all()
    logs.bind(command=command)
    attendant = Attendant(command, settings, url, progress)
    log.info("command begins")
    try:
        yield attendant
    except (Exception, KeyboardInterrupt) as exc:
        if isinstance(exc, NothingToDoError):
            attendant.close()
        else:
            attendant.failed(exc)
        raise
    else:
        attendant.close()
    finally:
        logs.unbind_all()


def _message(error: BaseException) -> str:
    return error.message if isinstance(error, CauriError) else f"{type(error).__name__}: {error}"


def _event(error: BaseException) -> str:
    if isinstance(error, DataRefusedError):
        return "refused"
    return "postponed" if isinstance(error, TransientTargetError) else "failed"
