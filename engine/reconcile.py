"""Step 9, Reconcile and close: nothing lost, nothing doubled, and the books say so in one transaction."""

from collections.abc import Iterable
from typing import Any

from engine.discover import SourceFile
from engine.form import form_of
from engine.intake import Intake
from engine.outcomes import Outcomes
from engine.quarantine import store, supersede
from warehouse.connection import Connection
from warehouse.errors import TargetError
from warehouse.ledger import FileEntry, WorkEntry, close_run, record_file
from warehouse.lock import require_writer


def reconcile(files: Iterable[SourceFile], outcomes: dict[int, Outcomes], works: Iterable[WorkEntry]) -> None:
    """Prove that each row read has one outcome, and that the leaves hold what the files say.

    Raises:
        TargetError: they do not. The leaves are there, the files are not closed: the next run looks at them again.
    """
    for file in files:
        if not outcomes[file.number].balanced:
            raise TargetError(f"{file.name}: the outcomes {outcomes[file.number].as_dict()} do not add up")
    transactions = [outcomes[file.number] for file in files if file.feed.name == "transactions"]
    loaded = sum(one.loaded for one in transactions)
    updated = sum(one.updated for one in transactions)
    written = sum(work.rows for work in works if work.state in ("built", "merged"))
    if not loaded <= written <= loaded + updated:
        raise TargetError(
            f"leaves hold {written} rows of this run, the files account for {loaded} to {loaded + updated}"
        )


def close(connection: Connection, run_id: int, intake: Intake, summary: dict[str, Any]) -> None:
    """Close the files: their ledger rows, their quarantine and the end of the run, together."""
    sifted = intake.sifted
    refused = [(reader.file, form_of(reader), sifted.refused.get(reader.file.number, [])) for reader in intake.readers]
    with connection.transaction():
        store(connection, run_id, refused)
        supersede(connection, run_id, intake.discovery.contracts)
        for file in intake.files:
            record_file(connection, run_id, _entry(file, sifted.outcomes[file.number]))
        require_writer(connection, run_id)
        close_run(connection, run_id, "done", summary)


def _entry(file: SourceFile, outcomes: Outcomes) -> FileEntry:
    return FileEntry(file.content_hash, file.feed.name, file.contract, file.name, file.size_bytes, **outcomes.as_dict())
