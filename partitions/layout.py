"""Which leaf each day belongs to: the leaves that there are, and units of the wanted grain where there is none."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from partitions.grain import Grain, Span


@dataclass(frozen=True)
class Layout:
    """Leaves of a table, and how days without one are cut.

    A new leaf never overlaps one of `spans`, and lies either within one of `beside` or outside all of them: those are
    leaves of a table that is filled together with this one.
    """

    grain: Grain = Grain.MONTH
    spans: Iterable[Span] = ()
    beside: Iterable[Span] = ()

    @cached_property
    def _own(self) -> "Ordered":
        return Ordered(sorted(self.spans))

    @cached_property
    def _other(self) -> "Ordered":
        return Ordered(sorted(self.beside))

    def span_of(self, day: date) -> Span:
        """The leaf of a day, be it there or not."""
        there = self._own.holding(day)
        if there is not None:
            return there
        unit = self._own.free_around(day, self.grain.span_of(day))
        around = self._other.holding(day)
        if around is not None:
            return Span(max(unit.first, around.first), min(unit.end, around.end))
        return self._other.free_around(day, unit)


class Ordered:
    """Spans that do not overlap, in order, to be searched by day."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = spans
        self._firsts = [span.first for span in spans]

    def holding(self, day: date) -> Span | None:
        """The span that has this day."""
        place = bisect_right(self._firsts, day)
        before = self._spans[place - 1] if place else None
        return before if before is not None and day < before.end else None

    def overlaps(self, span: Span) -> bool:
        """Whether one of the spans has a day of `span`."""
        return self.holding(span.first) is not None or self.free_around(span.first, span) != span

    def free_around(self, day: date, unit: Span) -> Span:
        """The part of `unit` around a day that lies in none of the spans."""
        place = bisect_right(self._firsts, day)
        first = max(unit.first, self._spans[place - 1].end) if place else unit.first
        end = min(unit.end, self._firsts[place]) if place < len(self._spans) else unit.end
        return Span(first, end)
