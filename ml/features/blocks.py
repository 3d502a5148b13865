"""Sorted rows cut into blocks of whole entities, which threads work off side by side."""

from itertools import pairwise

import numpy as np

from engine.sorting import changes
from ml.features.timeline import Ints

# Fewer rows are more calls, more rows leave the processor's cache: by trial, 2^16 and 2^18 were slower.
ROWS = 1 << 17
THREADS = 2


def blocks(entity: Ints) -> list[slice]:
    """Of rows sorted by entity; each has its share of the rows, and what is left of its last entity."""
    borders = np.append(np.flatnonzero(changes(entity)), len(entity))
    # As many for each thread, which else would wait for the one that has the last.
    number = THREADS * max(round(len(entity) / ROWS / THREADS), 1)
    cuts = borders[np.searchsorted(borders, np.arange(number) * len(entity) // number)]
    return [slice(since, until) for since, until in pairwise(np.unique([*cuts, len(entity)]).tolist())]
