"""Arithmetic of comparisons: medians, their spread, ratios of pairs that ran one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, with the least and the greatest."""

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


def spread(values: Iterable[float]) -> Spread:
    """Summarise one or more measurements.

    Raises:
        ValueError: there is none.
    """
    found = sorted(values)
    if not found:
        raise ValueError("nothing was measured")
    return Spread(median(found), found[0], found[-1])


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """`theirs` over `ours`, round by round: above 1, ours took less time.

    Rounds are compared with themselves, so that what slows the machine down for a while slows both sides.
    """
    return spread(their / our for our, their in zip(ours, theirs, strict=True))


def rates(rows: int, seconds: Iterable[float]) -> Spread:
    """Rows a second."""
    return spread(rows / one for one in seconds)


def shares(parts: dict[str, float]) -> dict[str, float]:
    """Each part of the sum, from 0 to 1; all 0 if the sum is."""
    whole = sum(parts.values())
    return {name: part / whole if whole else 0.0 for name, part in parts.items()}


def alternating(names: Sequence[str], number: int) -> list[str]:
    """The order of a round: every other one backwards, so that nobody always goes first."""
    return list(names) if number % 2 == 0 else list(reversed(names))
