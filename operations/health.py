"""Is the warehouse well? Facts are gathered first; what they mean is decided by pure functions."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from partitions.catalog import Table, read_catalog
from partitions.policy import Policy, policies_of
from warehouse.connection import Connection, connect, is_writable
from warehouse.migrations import newer, pending
from warehouse.overview import killed_runs, vitals, writer
from warehouse.settings import Settings


@dataclass(frozen=True)
class Check:
    """One question and its answer; `remedy` is for an answer that is no."""

    name: str
    healthy: bool
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def examine(settings: Settings, url: str, now: datetime | None = None) -> list[Check]:
    """All checks, in the order in which they are shown; nothing is changed, not even the schema.

    Raises:
        TransientTargetError: the database is away.
    """
    now = now or datetime.now(UTC)
    with connect(url, application="cauri health") as connection:
        checks = [Check("database", healthy=True, found=f"reached, PostgreSQL {_version(connection)}")]
        checks.append(_writable(connection))
        schema = schema_check(pending(connection), newer(connection))
        checks.append(schema)
        if schema.healthy:
            facts = vitals(connection)
            checks.append(writer_check(writer(connection), killed_runs(connection)))
            checks.append(success_check(facts["freshness"]["last_success"], settings.health_max_age_hours, now))
            checks.append(rejected_check(facts["last_run"], settings.health_rejected_share))
            policies = policies_of(settings)
            tables = read_catalog(connection, policies, settings.business_timezone).tables
            checks.append(premade_check(policies, tables, settings.health_premade_days, now.date()))
    checks.append(disk_check(settings.home_path, settings.health_free_share))
    return checks


def _version(connection: Connection) -> str:
    return f"{connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"


def _writable(connection: Connection) -> Check:
    writable = is_writable(connection)
    found = "takes writes" if writable else "is read-only, or a standby"
    return Check("writable", writable, found, "" if writable else "point CAURI_DATABASE_URL at the primary")


def schema_check(missing: Sequence[str], newer: Sequence[str]) -> Check:
    """The schema is that of this version."""
    if newer:
        found = f"of a newer Cauri ({', '.join(newer)})"
        return Check("schema", healthy=False, found=found, remedy="update Cauri here")
    found = f"{len(missing)} script(s) to apply" if missing else "up to date"
    return Check("schema", not missing, found, "cauri init" if missing else "")


def writer_check(holder: dict[str, Any] | None, killed: Sequence[dict[str, Any]]) -> Check:
    """Who writes lives, and no run was killed whose work is undone."""
    if holder and holder["expired"]:
        found = (
            f"{_run(holder)} holds the lock and has not renewed its lease since {holder['lease_until']:%H:%M:%S} UTC"
        )
        return Check("writer", healthy=False, found=found, remedy=f"it hangs: end its session {holder['pid']}")
    if holder:
        return Check("writer", healthy=True, found=f"{_run(holder)} is writing (session {holder['pid']})")
    if killed:
        found = f"{_run(killed[-1])} was killed, and nothing has run since"
        return Check("writer", healthy=False, found=found, remedy="run the same command again")
    return Check("writer", healthy=True, found="nobody is writing")


def _run(row: dict[str, Any]) -> str:
    return f"{row['command']} {row['run_id']}" if row["run_id"] else "a command without a run"


def success_check(last: datetime | None, hours: float, now: datetime) -> Check:
    """The newest successful run is young enough."""
    if last is None:
        return Check("last success", healthy=False, found="no run has succeeded yet", remedy="cauri load DIRECTORY")
    age = (now - last).total_seconds() / 3600
    found = f"{age:.1f} h ago; allowed are {hours:g} h"
    return Check("last success", age <= hours, found, "" if age <= hours else "see the log, and cauri status")


def rejected_check(last_run: dict[str, Any] | None, allowed: float) -> Check:
    """The newest successful run refused few enough rows."""
    if last_run is None:
        return Check("rejected share", healthy=True, found="no rows yet")
    share = last_run["rejected_share"]
    found = f"{share:.2%} in run {last_run['run_id']}; allowed are {allowed:.2%}"
    return Check("rejected share", share <= allowed, found, "" if share <= allowed else "cauri quarantine list")


def premade_check(policies: Iterable[Policy], tables: dict[str, Table], days: int, today: date) -> Check:
    """Tables whose leaves are made ahead have them for the next days."""
    short = []
    for policy in policies:
        table = tables.get(policy.name)
        if policy.premake and table and table.exists and covered_days(table, today, days) < days:
            short.append(policy.name)
    found = f"{len(short)} table(s) lack leaves for the next {days} days: {', '.join(short)}"
    if not short:
        return Check("partitions", healthy=True, found=f"leaves for the next {days} days are there")
    return Check("partitions", healthy=False, found=found, remedy="cauri partitions apply")


def covered_days(table: Table, today: date, most: int) -> int:
    """Days from today on, without a gap, for which there are leaves; at most `most` are counted."""
    spans = [leaf.span for leaf in table.leaves if leaf.span]
    for number in range(most):
        day = today + timedelta(days=number)
        if not any(span.first <= day < span.end for span in spans):
            return number
    return most


def disk_check(home: Path, share: float) -> Check:
    """The disk of CAURI_HOME has room."""
    place = next(path for path in (home, *home.parents) if path.exists())
    usage = shutil.disk_usage(place)
    free = usage.free / usage.total
    found = f"{free:.0%} of the disk of CAURI_HOME free; at least {share:.0%} are wanted"
    return Check("disk", free >= share, found, "" if free >= share else "free space: docs/operations.md, Disk")
