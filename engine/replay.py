"""Replay: refused rows go through steps 1 to 9 again; what became of them is written down with the end of the run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.correction import Correction, checked, read_corrections
from engine.discover import Discovery
from engine.fields import ROW_NUMBER
from engine.intake import Doorkeeper, Intake, read_and_check
from engine.kept import Bench, Kept, keep, stored_forms
from engine.load import Job, run
from engine.mapping import read_sources
from engine.quarantine import store_form
from engine.selection import RefusedRow, Selection, count, refused_rows
from engine.steps import Watcher
from engine.summary import Summary
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import SourceError, TargetError
from warehouse.keyring import Keyring
from warehouse.ledger import close_run
from warehouse.lock import require_writer
from warehouse.queries import query
from warehouse.settings import Settings


@dataclass(frozen=True)
class ReplayRequest:
    """Which open rows of which warehouse, and how: as a `corrected` file has them, or under another mapping."""

    url: str
    settings: Settings
    keyring: Keyring
    selection: Selection
    corrected: Path | None = None
    mapping: Path | None = None
    dry_run: bool = False


def replay(request: ReplayRequest, watcher: Watcher) -> Summary:
    """Replay refused rows: those that are good now land as in any load, the others stay open with their new reasons.

    Raises:
        CauriError: see `engine.load.load`.
    """
    replayed = _Replay(request)
    job = Job(
        "replay",
        request.url,
        request.settings,
        request.keyring,
        replayed.take_in,
        closing=replayed.close,
        dry_run=request.dry_run,
    )
    return run(job, watcher)


class _Replay:
    """The rows of one replay, from their taking in to the end of the run."""

    def __init__(self, request: ReplayRequest) -> None:
        self._request = request
        self._kept: list[Kept] = []

    def take_in(self, keeper: Doorkeeper, summary: Summary) -> Intake | None:
        """Steps 1 to 3 over the chosen rows; None if there are none."""
        with keeper.stopwatch.step(1):
            self._kept = self._find(keeper, summary)
        if not self._kept:
            summary.status = "nothing"
            return None
        files = tuple(kept.file for kept in self._kept)
        return read_and_check(keeper, Discovery(files), [kept.reader for kept in self._kept])

    def _find(self, keeper: Doorkeeper, summary: Summary) -> list[Kept]:
        request, connection = self._request, keeper.connection
        corrections = read_corrections(request.corrected) if request.corrected else None
        selection = request.selection if corrections is None else Selection(ids=tuple(corrections))
        for notice in (*_notices(connection, selection), *_closed(connection, corrections)):
            summary.notices.append(notice)
            keeper.watcher.say(notice)
        sources = tuple(read_sources(request.mapping)) if request.mapping else ()
        bench = Bench(stored_forms(connection), request.keyring, sources)
        rows = refused_rows(connection, request.keyring, None, selection)
        return keep(_ready(rows, bench, corrections), bench)

    def close(self, connection: Connection, run_id: int, intake: Intake, summary: dict[str, Any]) -> None:
        """Mark every row, move the counts of its file, and end the run: all in one transaction."""
        with connection.transaction():
            connection.execute(query("quarantine/stage_replayed"))
            for kept in self._kept:
                form_id = store_form(connection, kept.file.feed.name, kept.form)
                refused = intake.sifted.refused.get(kept.file.number, [])
                rows = settled(kept, refused, self._request.keyring).with_columns(form_id=pl.lit(form_id, pl.Int64))
                copy_frame(connection, sql.Identifier("replayed_row"), rows)
                _settle_file(connection, kept, intake)
            marked = connection.execute(query("quarantine/settle"), {"run_id": run_id}).rowcount
            replayed = sum(kept.rows.height for kept in self._kept)
            if marked != replayed:
                raise TargetError(
                    f"{replayed} rows were replayed, {marked} of them are open in quarantine",
                    remedy="nothing was marked; run the same command again",
                )
            require_writer(connection, run_id)
            close_run(connection, run_id, "done", summary)


def _notices(connection: Connection, selection: Selection) -> Iterator[str]:
    _, without_form = count(connection, selection)
    if without_form:
        yield (
            f"{without_form:,} row(s) cannot be replayed: they were refused by an older version, which did not keep "
            "how their file was read"
        )


def _closed(connection: Connection, corrections: Mapping[int, Correction] | None) -> Iterator[str]:
    """What is to be said of corrected rows that are not open.

    Raises:
        SourceError: quarantine has never had one of them.
    """
    if not corrections:
        return
    states = dict(connection.execute(query("quarantine/states"), (list(corrections),)).fetchall())
    unknown = len(corrections) - len(states)
    if unknown:
        raise SourceError(
            f"{unknown} of the {len(corrections)} rows of the corrected file are none of this warehouse's quarantine",
            remedy="replay into the warehouse that exported them, with the column cauri_id as it was",
        )
    closed = sum(state != "open" for state in states.values())
    if closed:
        yield f"{closed:,} row(s) of the corrected file are passed over: they have been resolved already"


def _ready(
    rows: Iterable[RefusedRow], bench: Bench, corrections: Mapping[int, Correction] | None
) -> Iterator[RefusedRow]:
    for row in rows:
        if row.form_id is None:
            continue
        if corrections is None:
            yield row
        else:
            yield row.corrected(checked(corrections[row.number], row, bench.stored_form(row)))


def settled(kept: Kept, refused: list[Path], keyring: Keyring) -> pl.DataFrame:
    """What became of each row: `quarantine_id`, `correction`, `correction_ref`; `reasons` if it was refused again."""
    again = [pl.read_ipc(path).select(ROW_NUMBER, pl.col("reasons").list.join(",")) for path in refused]
    reasons = pl.concat(again) if again else pl.DataFrame(schema={ROW_NUMBER: pl.Int64, "reasons": pl.String})
    refs = kept.correction_refs(keyring).rename({"client_ref": "correction_ref"})
    rows = kept.rows.join(reasons, on=ROW_NUMBER, how="left").join(refs, on=ROW_NUMBER, how="left")
    return rows.select("quarantine_id", "correction", "correction_ref", "reasons")


def _settle_file(connection: Connection, kept: Kept, intake: Intake) -> None:
    """Move the rows that landed from the refused ones of their file to what they are now."""
    outcomes = intake.sifted.outcomes[kept.file.number]
    if outcomes.read != kept.rows.height:
        raise TargetError(f"{kept.file.name}: {kept.rows.height} rows were to be replayed, {outcomes.read} were read")
    content_hash, feed, contract = kept.origin
    origin = {"content_hash": content_hash, "feed": feed, "contract": contract}
    if connection.execute(query("quarantine/settle_file"), {**outcomes.as_dict(), **origin}).rowcount != 1:
        raise TargetError(f"{kept.file.name}: the ledger does not know the file that the replayed rows came from")
