"""Step 5, Plan leaves: which leaves the rows fall into, and what step 6 will do with each."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.discover import SourceFile
from engine.outcomes import Outcomes
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


def work_identity(files: Iterable[SourceFile], timezone: str, outcomes: Mapping[int, Outcomes] | None = None) -> str:
    """Identity of a piece of work: contents of its files, how they are read, the zone that makes days of moments.

    And how many rows of each file step 3 refused, by reason: if a service came to be known since an interrupted run,
    other rows are good now, and what that run committed was other work.
    """
    digest = hashlib.sha256(timezone.encode())
    for file in sorted(files, key=lambda file: file.identity):
        reasons = outcomes[file.number].reasons if outcomes else {}
        digest.update("\x1f".join((*file.identity, *map(str, sorted(reasons.items())))).encode())
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
