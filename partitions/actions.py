"""How each kind of step is done: safe to repeat, and what is so already is left as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partitions.adopt import adopt_table
from partitions.archive import archive_leaf, drop_archived
from partitions.catalog import read_catalog
from partitions.changes import clear_leftovers
from partitions.detach import detach_leaf
from partitions.indexes import building
from partitions.leaves import Statement, execute_all, lock_parent, making
from partitions.orphans import reattaching
from partitions.regrain import change_grain
from partitions.rescue import rescue_default
from partitions.steps.indexing import BuildIndex, CompleteIndex
from partitions.steps.make import AttachOrphan, CreateLeaf
from partitions.steps.remove import ArchiveLeaf, ClearLeftovers, DetachLeaf, DropLeaf
from partitions.steps.reshape import AdoptTable, ChangeGrain, RescueDefault
from partitions.steps.step import Step
from partitions.turns import attempts, in_turns, lock_timeout
from warehouse.connection import Connection
from warehouse.errors import TargetError
from warehouse.queries import query


@dataclass(frozen=True)
class Site:
    """What steps are done with. `timezone` is the business time zone, `archive` the folder of archived leaves."""

    connection: Connection
    url: str
    timezone: str
    archive: Path


def state_of(connection: Connection, schema: str, name: str) -> str | None:
    """attached, detaching, loose; None if there is no such table."""
    row = connection.execute(query("partitions/leaf_state"), (schema, name)).fetchone()
    return str(row[0]) if row else None


def record(connection: Connection, step: Step) -> None:
    """Enter a step into the ledger, in the caller's transaction if there is one."""
    cost = step.cost
    values = (step.policy.name, step.subject, step.kind, step.line, cost.rows, cost.bytes)
    connection.execute(query("partitions/record_step"), values)


def create(site: Site, step: CreateLeaf) -> None:
    """Build a leaf aside and attach it, all in one transaction."""
    for turn in in_turns(site.connection):
        with turn:
            site.connection.execute(lock_parent(step.policy))
            if state_of(site.connection, "dwh_parts", step.subject) == "attached":
                return
            execute_all(site.connection, making(site.connection, step.policy, step.span, site.timezone))
            record(site.connection, step)


def attach_orphan(site: Site, step: AttachOrphan) -> None:
    """Prove that the rows of a loose table are of its days, build what indexes it lacks, and attach it."""
    connection, leaf = site.connection, step.leaf
    for turn in in_turns(connection):
        with turn:
            if state_of(connection, leaf.schema, leaf.name) != "loose":
                return
            execute_all(connection, reattaching(connection, step.policy, leaf, site.timezone))
            record(connection, step)


def detach(site: Site, step: DetachLeaf) -> None:
    """Detach a leaf, or finish doing so; never the last one."""
    connection, leaf = site.connection, step.leaf
    state = state_of(connection, leaf.schema, leaf.name)
    if state not in ("attached", "detaching"):
        return
    row = connection.execute(query("partitions/other_leaves"), (step.policy.name, leaf.name)).fetchone()
    if state == "attached" and row == (0,):
        raise TargetError(f"{leaf.qualified} is the last leaf of {step.policy.name}: it stays")
    detach_leaf(connection, step.policy, leaf)
    record(connection, step)


def archive(site: Site, step: ArchiveLeaf) -> None:
    """Write a leaf to the archive, unless a sound archive has its rows already."""
    if state_of(site.connection, step.leaf.schema, step.leaf.name) is None:
        return
    archive_leaf(site.connection, step.policy, step.leaf, site.archive)
    record(site.connection, step)


def drop(site: Site, step: DropLeaf) -> None:
    """Drop a detached leaf; where an archive is wanted, after comparing with it under a lock."""
    connection, leaf = site.connection, step.leaf
    if step.archived:
        if state_of(connection, leaf.schema, leaf.name) is not None:
            drop_archived(connection, step.policy, leaf, site.archive)
            record(connection, step)
        return
    for turn in in_turns(connection):
        with turn:
            state = state_of(connection, leaf.schema, leaf.name)
            if state is None:
                return
            if state != "loose":
                raise TargetError(f"{leaf.qualified} is attached: it was not dropped", remedy="plan again")
            execute_all(connection, step.statements)
            connection.execute(query("archive/release"), (step.policy.name, leaf.name))
            record(connection, step)


def clear(site: Site, step: ClearLeftovers) -> None:
    """Drop tables in `staging`, and what a change of leaves left besides: triggers, captured changes."""
    clear_leftovers(site.connection, step.policy)
    for turn in in_turns(site.connection):
        with turn:
            for name, statement in zip(step.names, step.statements, strict=True):
                if state_of(site.connection, "staging", name) == "loose":
                    site.connection.execute(statement)
            record(site.connection, step)


def regrain(site: Site, step: ChangeGrain) -> None:
    """Replace leaves by others; what is replaced already is left out."""
    there = read_catalog(site.connection, [step.policy], site.timezone).tables[step.policy.name].leaves
    names = {leaf.name for leaf in step.leaves}
    leaves = [leaf for leaf in there if leaf.name in names]
    if {leaf.span for leaf in leaves} == {leaf.span for leaf in step.leaves}:
        change_grain(site.url, step.policy, leaves, step.spans, site.timezone)
        record(site.connection, step)


def rescue(site: Site, step: RescueDefault) -> None:
    """Give the rows of a DEFAULT partition leaves."""
    if read_catalog(site.connection, [step.policy], site.timezone).tables[step.policy.name].default is not None:
        rescue_default(site.url, step.policy, site.timezone)
        record(site.connection, step)


def adopt(site: Site, step: AdoptTable) -> None:
    """Make a partitioned table of an ordinary one, or divide one that was made so far and no further."""
    adopt_table(site.url, step.policy, step.policy.name, site.timezone)
    record(site.connection, step)


def in_transaction(site: Site, step: Step) -> None:
    """Run the statements of a step and enter it into the ledger, together."""
    for turn in in_turns(site.connection):
        with turn:
            execute_all(site.connection, step.statements)
            record(site.connection, step)


def complete_index(site: Site, step: CompleteIndex) -> None:
    """Attach the indexes of leaves one by one: planning a query waits while one of them is locked."""
    for statement in step.statements:
        for turn in in_turns(site.connection):
            with turn:
                site.connection.execute(statement)
    record(site.connection, step)


def alone(site: Site, step: Step) -> None:
    """Run statements that PostgreSQL refuses in a transaction, or that take long, each in short turns for its lock."""
    for statement in step.statements:
        for attempt in attempts():
            with attempt, lock_timeout(site.connection, step.timeout):
                site.connection.execute(statement)
    record(site.connection, step)


def concurrently(site: Site, step: Step) -> None:
    """Run statements that wait for others without stopping anyone."""
    _once(site, step, step.statements)


def build_index(site: Site, step: BuildIndex) -> None:
    """Build the index that the leaf lacks, as policy or parent define it."""
    _once(site, step, building(site.connection, step.policy, step.leaf, step.index))


def _once(site: Site, step: Step, statements: Sequence[Statement]) -> None:
    for statement in statements:
        with lock_timeout(site.connection, step.timeout):
            site.connection.execute(statement)
    record(site.connection, step)


ACTIONS: dict[str, Callable[[Site, Any], None]] = {
    "create": create,
    "attach": attach_orphan,
    "detach": detach,
    "finalize": detach,
    "archive": archive,
    "drop": drop,
    "clear": clear,
    "change grain": regrain,
    "rescue": rescue,
    "adopt": adopt,
    "revoke": in_transaction,
    "complete index": complete_index,
    "index": build_index,
    "reindex": concurrently,
    "drop index": concurrently,
    "freeze": alone,
    "analyse": alone,
    "analyse table": alone,
}
