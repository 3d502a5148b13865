"""Between steps 3 and 6: the rows of a shard, grouped by leaf; in memory while there is room, then on disk."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import polars as pl

from engine.shards import SHARD_SCHEMA
from partitions.grain import Span, day_of
from partitions.layout import Layout

# 4 million rows; a larger run needs the memory for other things. Writing shards and reading them again takes 0.15 us a
# row, a tenth of steps 2 and 3.
MOST_IN_MEMORY = 512 * 1024 * 1024

# Polars opens all files of a plan at once, and stalls at some hundreds; and what it maps of them counts as our memory.
SLICES_AT_ONCE = 64


@dataclass(frozen=True)
class Slice:
    """Rows of one leaf within a shard, and the first and the last of their days (`date_key`)."""

    path: Path
    span: Span
    offset: int
    rows: int
    first_day: int
    last_day: int


class Shelf:
    """Shards by path, as long as all of them fit in memory. A path that is not here is a file."""

    def __init__(self, most_bytes: int = MOST_IN_MEMORY) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._is_full = False
        self._shards: dict[Path, pl.DataFrame] = {}
        self._lock = threading.Lock()

    def put(self, path: Path, rows: pl.DataFrame) -> None:
        """Keep a shard; or, when it is too much, write it and all others to their paths: a large run needs the room.

        Shards are put aside before any is read.
        """
        size = int(rows.estimated_size())
        with self._lock:
            self._is_full = self._is_full or self._bytes + size > self._most_bytes
            if not self._is_full:
                self._shards[path] = rows
                self._bytes += size
                return
            out_of_memory, self._shards = {**self._shards, path: rows}, {}
        for one, shard in out_of_memory.items():
            shard.write_ipc(one)

    def scan(self, path: Path) -> pl.LazyFrame:
        """The rows of a shard."""
        kept = self._shards.get(path)
        return pl.scan_ipc(path) if kept is None else kept.lazy()

    def clear(self) -> None:
        """Forget the shards that are kept."""
        with self._lock:
            self._shards.clear()
            self._bytes = 0
            self._is_full = False


# One for the process: tasks know shards by their path, wherever they run.
SHELF = Shelf()


def write_shard(rows: pl.DataFrame, path: Path, layout: Layout) -> list[Slice]:
    """Put shaped rows aside so that those of one leaf stand together; say where each leaf's are."""
    days = sorted(rows["date_key"].unique())
    within = {span: list(keys) for span, keys in groupby(days, lambda key: layout.span_of(day_of(key)))}
    if len(within) == 1:
        SHELF.put(path, rows)
        return [Slice(path, next(iter(within)), 0, rows.height, days[0], days[-1])]
    numbers = {key: number for number, keys in enumerate(within.values()) for key in keys}
    leaf = rows["date_key"].replace_strict(numbers, return_dtype=pl.Int32)
    SHELF.put(path, rows.sort(leaf, maintain_order=True))
    counts = leaf.value_counts().sort(leaf.name)["count"]
    offsets = counts.cum_sum() - counts
    return [
        Slice(path, span, offset, count, keys[0], keys[-1])
        for (span, keys), offset, count in zip(within.items(), offsets, counts, strict=True)
    ]


def collect_slices(slices: Sequence[Slice], plan: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
    """Run a plan over some slices, a few files at a time, and put its results one below the other."""
    results = []
    for first in range(0, len(slices), SLICES_AT_ONCE):
        group = slices[first : first + SLICES_AT_ONCE]
        rows = pl.concat(SHELF.scan(piece.path).slice(piece.offset, piece.rows) for piece in group)
        results.append(plan(rows).collect())
    return pl.concat(results) if results else plan(pl.LazyFrame(schema=SHARD_SCHEMA)).collect()


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its text copied together.

    Columns of text are views: a few rows taken out of many files keep the text of all of them in memory.
    """
    return frame.with_columns(
        pl.concat_str(name, pl.lit("")).alias(name) for name in frame.columns if frame.schema[name] == pl.String
    )


def read_slices(
    slices: Sequence[Slice], where: pl.Expr | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """The rows of some slices, in their order; only those for which `where` holds, only some `columns`."""

    def plan(rows: pl.LazyFrame) -> pl.LazyFrame:
        rows = rows if where is None else rows.filter(where)
        return rows if columns is None else rows.select(columns)

    return collect_slices(slices, plan)
