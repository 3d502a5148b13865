"""Step 5, Plan leaves: which leaves the rows fall into, and what step 6 will do with each."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from engine.discover import SourceFile
from engine.shards import Slice
from partitions.grain import Month

BUILD, MERGE, DONE = "build", "merge", "done"


@dataclass(frozen=True)
class LeafPlan:
    """One leaf: build it aside, merge into it, or nothing, because an interrupted run of the same work did it."""

    month: Month
    action: str
    slices: tuple[Slice, ...]

    @property
    def rows(self) -> int:
        """Rows that fall into it, before duplicates are taken out."""
        return sum(piece.rows for piece in self.slices)


def work_identity(files: Iterable[SourceFile], timezone: str) -> str:
    """Identity of a piece of work: contents of its files, how they are read, the zone that makes days of moments."""
    digest = hashlib.sha256(timezone.encode())
    for identity in sorted(file.identity for file in files):
        digest.update("\x1f".join(identity).encode())
    return digest.hexdigest()[:32]


def plan_leaves(slices: Iterable[Slice], attached: set[Month], built: set[Month]) -> list[LeafPlan]:
    """Decide for each leaf, oldest first.

    Args:
        slices: where the rows of each leaf are.
        attached: months that the fact table has.
        built: months that an interrupted run of the same work has committed.
    """
    by_month: dict[Month, list[Slice]] = {}
    for piece in slices:
        by_month.setdefault(piece.month, []).append(piece)
    return [LeafPlan(month, _action(month, attached, built), tuple(by_month[month])) for month in sorted(by_month)]


def _action(month: Month, attached: set[Month], built: set[Month]) -> str:
    if month in built:
        return DONE
    return MERGE if month in attached else BUILD
