"""Step 4, clients: the files of changes become events, history, restated facts and identities, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from engine.client_events import as_events, known_events, news, outcomes, remember
from engine.client_versions import stored_versions, write_client_versions
from engine.discover import SourceFile
from engine.history import merge_history
from engine.outcomes import Outcomes
from engine.pseudonyms import pseudonyms
from engine.restate import moved_ranges, restate
from engine.shards import FILE_SHIFT
from engine.vault import store_identities
from warehouse.connection import Connection
from warehouse.keyring import Keyring


def store_clients(
    connection: Connection,
    url: str,
    files: Sequence[tuple[SourceFile, Outcomes, pl.DataFrame]],
    *,
    keyring: Keyring,
    run_id: int,
    clock: datetime,
) -> int:
    """Apply files of client changes to history, facts and vault, counting what became of each row.

    Returns:
        How many facts were pointed at another version.
    """
    told = pl.concat([_told(file, rows, keyring) for file, _, rows in files])
    refs = told.select(pl.col("client_ref").unique())
    known = known_events(connection, url, refs)
    _count(files, outcomes(known, told))
    events = pl.concat([known, remember(connection, news(known, told), run_id, clock)])
    stored = stored_versions(connection, url, refs)
    change = merge_history(stored, events)
    written = write_client_versions(connection, change.versions, clock, change.removed)
    store_identities(connection, _latest(told, events), keyring)
    kept = stored.filter(~pl.col("client_key").is_in(pl.concat([change.removed, written["client_key"]]).implode()))
    columns = ["client_ref", "client_key", "valid_from"]
    after = pl.concat([kept.select(columns), written.select(columns)])
    return restate(connection, moved_ranges(stored.select(columns), after), run_id)


def _told(file: SourceFile, rows: pl.DataFrame, keyring: Keyring) -> pl.DataFrame:
    return as_events(rows).with_columns(
        pseudonyms(rows["client_id"], "client", keyring).alias("client_ref"),
        pl.col("row_number").add(file.number << FILE_SHIFT).alias("seq"),
    )


def _count(files: Sequence[tuple[SourceFile, Outcomes, pl.DataFrame]], judged: pl.DataFrame) -> None:
    by_number = {file.number: outcomes for file, outcomes, _ in files}
    counted = judged.group_by(pl.col("seq") // (1 << FILE_SHIFT), "outcome").len()
    for number, outcome, rows in counted.iter_rows():
        counts = by_number[number]
        setattr(counts, outcome, getattr(counts, outcome) + rows)


def _latest(told: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Rows that say who a client is as nothing newer does; a deletion says nothing of that."""
    order = ["effective_at", "updated_at"]
    newest = (
        events.filter(~pl.col("is_deleted"))
        .sort(order)
        .group_by("client_ref", maintain_order=True)
        .agg(pl.col(*order).last())
    )
    return told.filter(~pl.col("is_deleted")).join(newest, on=["client_ref", *order], how="semi")
