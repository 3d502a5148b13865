"""Which leaves and spans change places together: no other leaf shares a day with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, isqrt

from partitions.catalog import Leaf
from partitions.grain import Grain, Span
from partitions.layout import Layout
from warehouse.errors import ConfigurationError

# Attaching one leaf takes about a millisecond, during which readers wait.
MOST_LEAVES = 100


@dataclass(frozen=True)
class Exchange:
    """Leaves and the spans that take their place, in one transaction; no other leaf shares a day with them."""

    leaves: tuple[Leaf, ...]
    spans: tuple[Span, ...]

    @property
    def is_needed(self) -> bool:
        """Whether the leaves are not of these spans already."""
        return tuple(leaf.span for leaf in self.leaves) != self.spans


def exchanges(leaves: Sequence[Leaf], spans: Sequence[Span], attached: Iterable[Leaf]) -> list[Exchange]:
    """The smallest groups of leaves and spans that can be exchanged each on its own; what stays as it is, is left out.

    `attached` are all leaves of the table.

    Raises:
        ConfigurationError: spans overlap each other or a leaf that stays, or leave a day of a leaf without a place.
    """
    own = {leaf.qualified for leaf in leaves}
    others = [leaf.span for leaf in attached if leaf.span and leaf.qualified not in own]
    wanted = sorted(set(spans))
    for before, after in pairwise(wanted):
        _refuse(before.overlaps(after), f"the spans {before} and {after} overlap")
    for span in wanted:
        taken = next((other for other in others if other.overlaps(span)), None)
        _refuse(taken is not None, f"the span {span} overlaps the leaf {taken}, which is not to be replaced")
    found = groups(leaves, wanted)
    for group in found:
        _require_covered(group)
    return [group for group in found if group.is_needed]


def _refuse(condition: bool, message: str) -> None:
    if condition:
        raise ConfigurationError(message, remedy="choose other leaves, or a grain that lies between the two")


def groups(leaves: Sequence[Leaf], spans: Sequence[Span]) -> list[Exchange]:
    """Leaves and spans that are connected by common days, oldest first."""
    ends = sorted([(leaf.span, leaf) for leaf in leaves if leaf.span] + [(span, None) for span in spans], key=_by_span)
    connected: list[list[tuple[Span, Leaf | None]]] = []
    reached = date.min
    for span, leaf in ends:
        if span.first >= reached:
            connected.append([])
        connected[-1].append((span, leaf))
        reached = max(reached, span.end)
    return [
        Exchange(tuple(leaf for _, leaf in group if leaf), tuple(span for span, leaf in group if not leaf))
        for group in connected
    ]


def _by_span(item: tuple[Span, Leaf | None]) -> Span:
    return item[0]


def _require_covered(group: Exchange) -> None:
    for leaf in group.leaves:
        assert leaf.span is not None
        day = leaf.span.first
        for span in group.spans:
            if span.first <= day < span.end:
                day = span.end
        _refuse(day < leaf.span.end, f"no span holds the day {day} of {leaf.qualified}")
    _refuse(not group.leaves, f"the span {group.spans[0] if group.spans else ''} has no day of the leaves")


def spans_of_grain(leaves: Sequence[Leaf], grain: Grain, attached: Iterable[Leaf]) -> list[Span]:
    """Units of a grain for all days of these leaves; cut where another leaf of the table has some of their days."""
    own = {leaf.qualified for leaf in leaves}
    layout = Layout(grain, [leaf.span for leaf in attached if leaf.span and leaf.qualified not in own])
    found: set[Span] = set()
    for leaf in leaves:
        if leaf.span is None:
            continue
        day = leaf.span.first
        while day < leaf.span.end:
            span = layout.span_of(day)
            found.add(span)
            day = span.end
    return sorted(found)


def portions(spans: Sequence[Span]) -> list[Span]:
    """The spans themselves if they can be swapped in at once, else larger ones that are divided in a second step."""
    if len(spans) <= MOST_LEAVES:
        return list(spans)
    size = ceil(len(spans) / MOST_LEAVES)
    # Of about the same number each, so that both steps are short.
    size = max(size, isqrt(len(spans)))
    return [Span(spans[at].first, spans[min(at + size, len(spans)) - 1].end) for at in range(0, len(spans), size)]
