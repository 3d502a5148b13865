"""Replays within the test's own process."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from engine import load as load_module
from engine.compare import compare
from engine.correction import Export
from engine.intake import Doorkeeper
from engine.kept import stored_forms
from engine.replay import ReplayRequest
from engine.replay import replay as replay_rows
from engine.selection import RefusedRow, Selection, refused_rows
from engine.steps import Stopwatch
from engine.summary import Summary
from engine.work_folder import work_folder
from tests.loading import KEYRING, Silence, inline_executor, rows_of, settings_for
from warehouse.connection import connect


def replay(url: str, *, watcher: Silence | None = None, **changes: Any) -> Summary:
    """Replay open rows: all, or those of a `selection`, or a `corrected` file."""
    values: dict[str, Any] = {"selection": Selection(), "settings": settings_for(url), "keyring": KEYRING, **changes}
    with mock.patch.object(load_module, "leaf_executor", inline_executor):
        return replay_rows(ReplayRequest(url, **values), watcher or Silence())


def export(url: str, out: Path, selection: Selection | None = None) -> dict[Path, int]:
    """Write open rows to be corrected."""
    with connect(url) as connection:
        rows = refused_rows(connection, KEYRING, None, selection)
        return Export(out, stored_forms(connection)).write(list(rows))


def open_rows(url: str) -> list[RefusedRow]:
    with connect(url) as connection:
        return list(refused_rows(connection, KEYRING))


def differs(url: str, *folders: Path, mapping: Path | None = None) -> list[dict[str, Any]]:
    """Cells in which folders and warehouse differ."""
    found: list[dict[str, Any]] = []
    for folder in folders:
        settings, watcher = settings_for(url), Silence()
        with connect(url) as connection, work_folder(settings) as work:
            keeper = Doorkeeper(connection, settings, KEYRING, work, Stopwatch(watcher), watcher)
            found += compare(keeper, url, folder, mapping).to_dicts()
    return found


def accounts(url: str) -> list[tuple[Any, ...]]:
    """Files of which the ledger and the quarantine disagree about how many rows are refused."""
    return rows_of(
        url,
        "SELECT f.file_name, f.rows_rejected, count(q.quarantine_id) FROM ops.file f LEFT JOIN ops.quarantine q"
        " ON (q.content_hash, q.feed, q.contract) = (f.content_hash, f.feed, f.contract) AND q.state <> 'resolved'"
        " GROUP BY f.file_id HAVING f.rows_rejected <> count(q.quarantine_id)",
    )


def rewrite(path: Path, changes: Iterable[tuple[str, str]]) -> Path:
    """The file with texts replaced, as a person would."""
    text = path.read_text(encoding="utf-8-sig")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8-sig")
    return path
