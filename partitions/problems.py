"""What a manager finds and leaves to a person: it says so, and does nothing that could hurt."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from partitions.catalog import Leaf, Table
from partitions.indexes import is_leftover
from partitions.leaves import LEAF_SCHEMA
from partitions.policy import Policy
from partitions.steps.reshape import ChangeGrain
from partitions.timeline import Timeline, attachable, is_past, may_go
from partitions.upkeep import is_wanted


@dataclass(frozen=True)
class Problem:
    """Something about a table that no step will put right. A `note` needs nobody to act."""

    table: str
    text: str
    remedy: str
    note: bool = False


def blocking(policy: Policy, table: Table) -> list[Problem]:
    """Reasons for which no leaf of a table may come or go."""
    if not table.exists and not table.unpartitioned:
        return [Problem(policy.name, "there is no such table", "create it, or take it out of the policies")]
    return [
        Problem(
            policy.name,
            f"the bounds of {leaf.qualified} are not whole days of the table's time zone: {leaf.bounds}",
            "detach it, and give it bounds of whole days; until then it is left alone, and no leaf of this table is"
            " made or removed",
        )
        for leaf in table.leaves
        if leaf.span is None
    ]


def of_leaves(policy: Policy, table: Table) -> Iterator[Problem]:
    """Leaves and indexes that are not as the manager makes them."""
    for leaf in table.leaves:
        if not leaf.ordinary:
            text = f"{leaf.qualified} is a foreign table or has leaves of its own"
            yield Problem(policy.name, text, "it is left as it is", note=True)
        elif leaf.schema != LEAF_SCHEMA:
            text = f"{leaf.qualified} stands outside of {LEAF_SCHEMA}: it is never removed"
            yield Problem(policy.name, text, f"ALTER TABLE {leaf.qualified} SET SCHEMA {LEAF_SCHEMA}")
        for index in leaf.indexes:
            if not (index.valid or is_leftover(index, leaf) or is_wanted(index, policy, table)):
                text = f"the index {index.name} of {leaf.qualified} is not valid, and nobody wants it"
                yield Problem(policy.name, text, f"DROP INDEX {leaf.schema}.{index.name}")


def of_timeline(policy: Policy, line: Timeline) -> Iterator[Problem]:
    """Leaves that cannot be made."""
    if line.too_many:
        yield Problem(
            policy.name,
            f"{line.too_many:,} leaves would fill the gaps between the oldest leaf and today: they are not made",
            "see whether the oldest leaf is there by mistake, or choose a coarser grain",
        )
    for name in line.taken:
        yield Problem(policy.name, f"a leaf cannot be made: another table is called {name}", "rename that table")


def of_orphans(policy: Policy, table: Table, line: Timeline, today: date) -> Iterator[Problem]:
    """Tables in `dwh_parts` that can neither be attached nor dropped. `table` is as it will be."""
    candidates = {leaf.name for leaf in attachable(table, today)}
    for orphan in table.orphans:
        if orphan.name in candidates and is_past(orphan.span, line.bound):
            if not orphan.proven:
                yield _orphan(policy, orphan, "is past its retention, but no CHECK proves which days its rows are of")
        elif orphan.name not in candidates:
            yield _orphan(policy, orphan, _why_not(orphan))
    for leaf in table.staged:
        if leaf.awaited:
            text = f"{leaf.name} waits in staging for the load that built it"
            yield Problem(policy.name, text, "run that load again: it attaches the leaf", note=True)


def of_regrain(step: ChangeGrain) -> Problem:
    """Leaves that are too long to be divided at once."""
    text = f"{len(step.spans)} leaves cannot take the place of {len(step.leaves)} at once ({step.leaves[0].name})"
    return Problem(step.policy.name, text, "go there by way of a grain that lies between")


def _why_not(orphan: Leaf) -> str:
    if not orphan.fits:
        return "is named like a leaf, but has other columns"
    if orphan.span is None or not orphan.ordinary:
        return "looks like a leaf, but cannot be one"
    return f"has days ({orphan.span}) for which there is another leaf"


def _orphan(policy: Policy, orphan: Leaf, why: str) -> Problem:
    return Problem(policy.name, f"{orphan.qualified} {why}", "it is left alone: attach, rename or drop it by hand")


def droppable(orphan: Leaf, line: Timeline, today: date) -> bool:
    """Whether a loose table is a leaf whose retention has passed, beyond doubt."""
    return orphan.fits and orphan.proven and may_go(orphan, today) and is_past(orphan.span, line.bound)
