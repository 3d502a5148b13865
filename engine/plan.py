"""Step 5, Plan leaves: which leaves the rows fall into, and what step 6 will do with each."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from engine.discover import SourceFile
from engine.slices import Slice
from partitions.grain import Span

BUILD, MERGE, DONE = "build", "merge", "done"


@dataclass(frozen=True)
class LeafPlan:
    """One leaf: build it aside, merge into it, or nothing, because an interrupted run of the same work did it."""

    span: Span
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


def plan_leaves(slices: Iterable[Slice], attached: set[Span], built: set[Span]) -> list[LeafPlan]:
    """Decide for each leaf, oldest first.

    Args:
        slices: where the rows of each leaf are.
        attached: days for which the fact table has a leaf.
        built: days whose leaf an interrupted run of the same work has committed.
    """
    by_span: dict[Span, list[Slice]] = {}
    for piece in slices:
        by_span.setdefault(piece.span, []).append(piece)
    return [LeafPlan(span, _action(span, attached, built), tuple(by_span[span])) for span in sorted(by_span)]


def _action(span: Span, attached: set[Span], built: set[Span]) -> str:
    if span in built:
        return DONE
    return MERGE if span in attached else BUILD
