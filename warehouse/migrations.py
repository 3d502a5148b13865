"""The schema's state: numbered migrations applied once, views applied whenever their text changes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from warehouse.calendar import fill_calendar
from warehouse.connection import Connection, connect, require_writable
from warehouse.errors import TargetError
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

    Raises:
        TargetError: a migration that was applied has another text now, or the database cannot be written.
    """
    with connect(url) as connection:
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
    known = dict(connection.execute("SELECT name, checksum FROM ops.migration").fetchall())
    applied = []
    for script in scripts():
        if known.get(script.name) == script.checksum:
            continue
        if script.kind == "migration" and script.name in known:
            raise TargetError(
                f"migration {script.name} was applied with another text",
                remedy="never edit an applied migration: restore the file and add a new one",
            )
        connection.execute(script.text)
        connection.execute(query("ledger/record_migration"), (script.name, script.kind, script.checksum))
        applied.append(script.name)
    return applied


def pending(connection: Connection) -> list[str]:
    """Names of the scripts that this database lacks, or has in an older text."""
    if connection.execute("SELECT to_regclass('ops.migration')").fetchone() == (None,):
        return [script.name for script in scripts()]
    known = dict(connection.execute("SELECT name, checksum FROM ops.migration").fetchall())
    return [script.name for script in scripts() if known.get(script.name) != script.checksum]
