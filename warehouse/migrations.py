"""The schema's state: numbered migrations applied once, views applied whenever their text changes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from warehouse.calendar import fill_calendar, is_filled_for
from warehouse.connection import Connection, connect, require_writable
from warehouse.errors import TargetError, TransientTargetError
from warehouse.lock import WRITER_LOCK
from warehouse.queries import SCHEMA_FOLDER, query
from warehouse.rights import grant_reading

# Any constant works, as long as every Cauri uses the same: two `init` at once wait for each other.
MIGRATION_LOCK = 0x6361_7572_6900


@dataclass(frozen=True)
class Script:
    """One SQL file of `schema/`, and whether it is applied once or whenever it changes."""

    name: str
    kind: str
    text: LiteralString

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def scripts() -> list[Script]:
    """All migrations, then all views, each in the order of their numbers."""
    return [*_scripts_in("migrations", "migration"), *_scripts_in("views", "view")]


def _scripts_in(folder: str, kind: str) -> list[Script]:
    paths = sorted((SCHEMA_FOLDER / folder).glob("*.sql"))
    return [Script(path.name, kind, path.read_text(encoding="utf-8")) for path in paths]


def bootstrap_sql() -> LiteralString:
    """SQL that makes the migration ledger."""
    return Path(SCHEMA_FOLDER / "bootstrap.sql").read_text(encoding="utf-8")


def migrate(url: str, *, holiday_countries: tuple[str, ...] = ("CI", "SN", "GH", "KE", "MA")) -> list[str]:
    """Bring the schema up to date and fill the calendar; return the names of the scripts applied.

    Where nothing is to be done, a standby, or a role that may only read, is enough.

    Raises:
        TargetError: a newer Cauri has the warehouse, a migration that was applied has another text now, or the database
            cannot be written.
        TransientTargetError: a run of an older Cauri is writing.
    """
    with connect(url) as connection:
        _refuse_newer(connection)
        if not pending(connection) and is_filled_for(connection, holiday_countries):
            return []
        require_writable(connection)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            connection.execute(bootstrap_sql())
            applied = _apply_missing(connection)
            if applied:
                grant_reading(connection)
            fill_calendar(connection, holiday_countries)
        return applied


def _apply_missing(connection: Connection) -> list[str]:
    _refuse_newer(connection)
    known = _applied(connection)
    missing = [script for script in scripts() if known.get(script.name) != script.checksum]
    if known and missing:
        _keep_writers_out(connection)
    for script in missing:
        if script.kind == "migration" and script.name in known:
            raise TargetError(
                f"migration {script.name} was applied with another text",
                remedy="never edit an applied migration: restore the file and add a new one",
            )
        connection.execute(script.text)
        connection.execute(query("ledger/record_migration"), (script.name, script.kind, script.checksum))
    return [script.name for script in missing]


def _refuse_newer(connection: Connection) -> None:
    later = newer(connection)
    if later:
        raise TargetError(
            f"the warehouse belongs to a newer Cauri: it has {', '.join(later)}, which this one does not know",
            remedy="update Cauri here; nothing was changed",
        )


def _keep_writers_out(connection: Connection) -> None:
    """Until the transaction ends. A run that began with other tables and views comes to its end with them."""
    if connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (WRITER_LOCK,)).fetchone() != (True,):
        raise TransientTargetError(
            "a run of an older Cauri is writing to this warehouse, whose schema this one has to bring up to date",
            remedy="wait until it ends, then run the same command again",
        )


def pending(connection: Connection) -> list[str]:
    """Names of the scripts that this database lacks, or has in an older text."""
    known = _applied(connection)
    return [script.name for script in scripts() if known.get(script.name) != script.checksum]


def newer(connection: Connection) -> list[str]:
    """Names of the migrations that this database has and this Cauri does not know: what they changed it would spoil."""
    ours = {script.name for script in scripts()}
    return sorted(_applied(connection, kinds=["migration"]).keys() - ours)


def _applied(connection: Connection, kinds: Sequence[str] = ("migration", "view")) -> dict[str, str]:
    if connection.execute("SELECT to_regclass('ops.migration')").fetchone() == (None,):
        return {}
    statement = "SELECT name, checksum FROM ops.migration WHERE kind = ANY (%s)"
    return dict(connection.execute(statement, (list(kinds),)).fetchall())
