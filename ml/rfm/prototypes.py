"""What the five segments are: number, name, prototype, meaning and action, from `segments.toml`."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ml.rfm.scaling import Floats

FILE = Path(__file__).with_name("segments.toml")

CHAMPIONS, LOYAL, AT_RISK, HIBERNATING, LOST = NUMBERS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Segment:
    """A segment; `prototype` is where it begins on the axes recent, frequent, valuable, in deviations from the mean."""

    number: int
    name: str
    name_fr: str
    prototype: tuple[float, float, float]
    meaning: str
    meaning_fr: str
    action: str
    action_fr: str


@cache
def segments() -> tuple[Segment, ...]:
    """The five, in the order of their numbers."""
    return tuple(_read())


def _read() -> Iterator[Segment]:
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["segment"]:
        yield Segment(**{**entry, "prototype": tuple(entry["prototype"])})


def names() -> dict[int, str]:
    """Number -> name."""
    return {one.number: one.name for one in segments()}


def prototypes() -> Floats:
    """One row a segment, one column an axis."""
    return np.array([one.prototype for one in segments()])
