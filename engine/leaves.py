"""Step 6, Load leaves: one new leaf, built aside in one transaction with its ledger row.

`build_leaf` is a top-level function of one picklable argument that holds paths and no frames: any executor can run it,
on this machine or another, and running it twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.cells import cells
from engine.day_totals import add_up_new, clients_by_day
from engine.facts import FACT_COLUMNS, exact_sum, facts
from engine.keys import KeyFolder
from engine.slices import Slice, read_slices
from engine.workers import CONNECTIONS
from partitions.grain import Span
from partitions.leaves import create_aside, index_and_analyse, staged
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import TargetError
from warehouse.ledger import WorkEntry, record_work, work_done

# Rows of a leaf are taken in pieces of whole days, of no more rows unless a day has more: with all columns 100 MB.
ROWS_PER_PIECE = 250_000


@dataclass(frozen=True)
class LeafTask:
    """All that building a leaf needs to know. `excluded`: `seq` and `date_key` of rows that do not go in, if any."""

    url: str
    span: Span
    slices: tuple[Slice, ...]
    keys: KeyFolder
    excluded: Path | None
    run_id: int
    work_id: str
    policies: tuple[Policy, Policy]
    timezone: str

    def __repr__(self) -> str:
        return f"LeafTask({self.span}, {sum(piece.rows for piece in self.slices)} rows)"


@dataclass
class Totals:
    """Control totals: what was sent and what PostgreSQL says it has."""

    rows: int = 0
    amount_minor: int = 0
    commission_minor: int = 0
    days: int = 0
    cells: int = 0
    cell_transactions: int = 0
    cell_amount_minor: int = 0

    def add(self, fact: pl.DataFrame, summary: pl.DataFrame, days: pl.DataFrame) -> None:
        """Count rows that were sent, and the `days` (and currencies) whose totals come with them.

        Raises:
            TargetError: an amount of a cell is too large for its column.
        """
        amount = exact_sum(fact["amount_minor"])
        if exact_sum(summary["amount_minor"]) != amount:
            raise TargetError("a day, client and service has amounts whose sum passes 2^63 minor units")
        self.rows += fact.height
        self.amount_minor += amount
        self.commission_minor += exact_sum(fact["commission_minor"])
        self.days += days.height
        self.cells += summary.height
        self.cell_transactions += int(summary["transactions"].sum())
        self.cell_amount_minor += amount


def build_leaf(task: LeafTask) -> WorkEntry:
    """Build the leaf of a span of days and that of its summary; return what the ledger says of it.

    Raises:
        TargetError: what PostgreSQL read back is not what was sent; nothing was committed.
    """
    part = task.span.leaf_of("fact_transactions")
    with CONNECTIONS.connection(task.url, f"cauri {part}") as connection:
        done = work_done(connection, task.work_id).get(part)
        if done:
            return done
        with connection.transaction():
            sent, clients = _copy(connection, task)
            _verify(connection, task, sent, clients)
            for policy in task.policies:
                index_and_analyse(connection, policy, task.span)
            entry = WorkEntry(part, "built", sent.rows, sent.amount_minor, sent.commission_minor, sent.cells)
            record_work(connection, task.work_id, task.run_id, entry)
    return entry


def _copy(connection: Connection, task: LeafTask) -> tuple[Totals, pl.DataFrame]:
    leaf, summary_leaf = (create_aside(connection, policy, task.span, task.timezone) for policy in task.policies)
    sent, clients = Totals(), []
    for rows in _pieces(task):
        keyed = facts(rows, task.keys, task.run_id)
        fact, summary = keyed.select(FACT_COLUMNS), cells(keyed)
        copy_frame(connection, leaf, fact, freeze=True)
        copy_frame(connection, summary_leaf, summary, freeze=True)
        clients.append(clients_by_day(summary))
        sent.add(fact, summary, clients[-1])
    return sent, pl.concat(clients)


def _pieces(task: LeafTask) -> Iterator[pl.DataFrame]:
    for first, last in _parts(task):
        of_days = pl.col("date_key").is_between(first, last)
        slices = [piece for piece in task.slices if piece.first_day <= last and piece.last_day >= first]
        is_all = all(first <= piece.first_day and piece.last_day <= last for piece in slices)
        rows = read_slices(slices, where=None if is_all else of_days)
        if task.excluded:
            excluded = pl.scan_ipc(task.excluded).filter(of_days).select("seq").collect().to_series()
            rows = rows.filter(~pl.col("seq").is_in(excluded.implode()))
        yield rows


def _parts(task: LeafTask) -> Iterator[tuple[int, int]]:
    """The first and the last day of each piece: a cell of the summary belongs to one day, so that none is in two."""
    if sum(piece.rows for piece in task.slices) <= ROWS_PER_PIECE:
        yield task.span.first_key, task.span.end_key
        return
    days = read_slices(task.slices, columns=["date_key"]).group_by("date_key").len().sort("date_key")
    within = list[int]()
    rows = 0
    for day, more in days.iter_rows():
        if within and rows + more > ROWS_PER_PIECE:
            yield within[0], within[-1]
            within, rows = [], 0
        within.append(day)
        rows += more
    yield within[0], within[-1]


def _verify(connection: Connection, task: LeafTask, sent: Totals, clients: pl.DataFrame) -> None:
    """Compare what was sent with what is there, in one pass over the cells with the totals of their days."""
    fact, summary = (staged(policy, task.span) for policy in task.policies)
    of_fact = sql.SQL("SELECT count(*), sum(amount_minor)::text, sum(commission_minor)::text FROM {}").format(fact)
    rows, amount, commission = (int(value or 0) for value in connection.execute(of_fact).fetchone() or (0, 0, 0))
    found = Totals(rows, amount, commission, *add_up_new(connection, summary, clients))
    if found != sent:
        raise TargetError(
            f"leaf {task.span}: sent {sent}, PostgreSQL holds {found}",
            remedy="nothing of this leaf was kept; run the load again, and report this if it stays",
        )
