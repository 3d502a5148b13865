"""A warehouse whose leaves are managed, and feeds for months of it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from partitions.actions import Site
from partitions.apply import apply
from partitions.policy import Policy, read_policies
from tests.loading import SERVICE, transaction, write_feed
from warehouse.connection import connect

ZONE = "Africa/Abidjan"


def manage(url: str, archive: Path, today: date, policies: Sequence[Policy] | None = None) -> list[str]:
    """Run apply as if it were that day; return the lines of its steps."""
    with connect(url) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        applied = apply(Site(connection, url, ZONE, archive), policies or read_policies(), today=today)
    assert applied.failures == {}
    return [step.line for step, _ in applied.steps]


def feeds_of_months(folder: Path, months: int) -> Path:
    """Thirty transactions in each of the first months of 2024."""
    write_feed(folder, "services", [SERVICE])
    days = [f"2024-0{n % months + 1}-{n % 28 + 1:02}T10:00:00Z" for n in range(30 * months)]
    rows = [transaction(n, transaction_ts=day, updated_at=day, client_id=f"C{n % 5}") for n, day in enumerate(days)]
    write_feed(folder, "transactions", rows)
    return folder
