"""Steps 2 and 3 over all files: read, check, and put aside; good rows in shards or frames, refused rows sealed."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from engine.contracts import check
from engine.discover import SourceFile
from engine.feeds import TRANSACTIONS
from engine.outcomes import CONFLICTING_DUPLICATE, Outcomes
from engine.parse import Domains, Locale, parse, refer
from engine.quarantine import seal
from engine.read import LazyBatch, Reader
from engine.shards import FILE_SHIFT, Dictionary, shape
from engine.slices import Slice, compact, write_shard
from partitions.layout import Layout
from warehouse.keyring import Keyring

# One piece is being parsed by each thread, and this many more stand ready: enough that no thread waits, few enough for
# memory.
PIECES_AHEAD = 2

_T = TypeVar("_T")


@dataclass(frozen=True)
class Sieve:
    """What every piece is checked against and where its rows go."""

    timezone: str
    domains: Domains
    keyring: Keyring
    folder: Path
    dictionary: Dictionary
    layout: Layout
    threads: int


@dataclass
class Sifted:
    """The good rows of all files, and the count of everything."""

    outcomes: dict[int, Outcomes] = field(default_factory=dict)
    members: dict[int, list[pl.DataFrame]] = field(default_factory=dict)
    refused: dict[int, list[Path]] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    seconds_reading: float = 0.0
    seconds_checking: float = 0.0

    def rows_of(self, file: SourceFile) -> pl.DataFrame | None:
        """Good rows of a file of a feed other than transactions; None if it has none."""
        frames = self.members.get(file.number, [])
        return pl.concat(frames) if frames else None


@dataclass(frozen=True)
class _Piece:
    rows: int
    good: pl.DataFrame | None
    slices: list[Slice]
    refused: Path | None
    refused_rows: int
    reasons: dict[str, int]
    seconds_reading: float
    seconds_checking: float


def sift(readers: list[Reader], sieve: Sieve, sifted: Sifted, on_rows: Callable[[int], None]) -> None:
    """Run every piece of every file through steps 2 and 3, in threads, and gather the results in order."""
    started = time.perf_counter()
    reading = checking = 0.0
    for reader in readers:
        sifted.outcomes[reader.file.number] = Outcomes()
    for file, piece in _in_threads(_pieces(readers, sieve), sieve.threads):
        _gather(file, piece, sifted)
        reading += piece.seconds_reading
        checking += piece.seconds_checking
        on_rows(piece.rows)
    # The two steps share the threads: the wall time is split by the work of each.
    wall = time.perf_counter() - started
    sifted.seconds_reading += wall * reading / ((reading + checking) or 1)
    sifted.seconds_checking += wall * checking / ((reading + checking) or 1)


def _pieces(readers: list[Reader], sieve: Sieve) -> Iterator[Callable[[], tuple[SourceFile, _Piece]]]:
    pieces = ((reader.file, lazy) for reader in readers for lazy in reader.batches())
    for number, (file, lazy) in enumerate(pieces):
        yield partial(_sift_piece, file, lazy, sieve, f"{file.number:05d}-{number:06d}.arrow")


def _in_threads(calls: Iterator[Callable[[], _T]], threads: int) -> Iterator[_T]:
    """What the calls return, in their order; a few are under way or ready at any time."""
    waiting: deque[Future[_T]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for call in calls:
                waiting.append(pool.submit(call))
                if len(waiting) > threads + PIECES_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _sift_piece(file: SourceFile, lazy: LazyBatch, sieve: Sieve, name: str) -> tuple[SourceFile, _Piece]:
    start = time.perf_counter()
    batch = lazy.read()
    locale = Locale(file.source.timezone or sieve.timezone, batch.decimal_comma)
    frame = parse(batch.frame, file.feed, locale)
    read = time.perf_counter()
    if file.feed is TRANSACTIONS:
        frame = refer(frame, sieve.domains)
    good, refused = check(frame, file.feed.name, sieve.domains.clock)
    refused_path = None
    if refused.height:
        refused_path = sieve.folder / f"refused-{name}"
        seal(batch, refused, sieve.keyring).write_ipc(refused_path)
    reasons = dict(refused["reasons"].explode().value_counts().iter_rows()) if refused.height else {}
    slices = []
    if file.feed is TRANSACTIONS and good.height:
        rows = shape(good, sieve.domains, file.number, sieve.timezone, sieve.dictionary)
        slices = write_shard(rows, sieve.folder / f"shard-{name}", sieve.layout)
    kept = None if file.feed is TRANSACTIONS else compact(good)
    end = time.perf_counter()
    piece = _Piece(batch.raw.height, kept, slices, refused_path, refused.height, reasons, read - start, end - read)
    return file, piece


def _gather(file: SourceFile, piece: _Piece, sifted: Sifted) -> None:
    outcomes = sifted.outcomes[file.number]
    outcomes.read += piece.rows
    outcomes.rejected += piece.refused_rows
    for reason, rows in piece.reasons.items():
        outcomes.refuse(reason, rows)
    if file.feed is TRANSACTIONS:
        outcomes.loaded += piece.rows - piece.refused_rows
    sifted.slices += piece.slices
    if piece.good is not None:
        sifted.members.setdefault(file.number, []).append(piece.good)
    if piece.refused:
        sifted.refused.setdefault(file.number, []).append(piece.refused)


def seal_conflicts(readers: list[Reader], conflicts: Collection[int], sieve: Sieve, sifted: Sifted) -> None:
    """Put single rows (by `seq`) in quarantine as conflicting duplicates; their files are read once more for them."""
    by_file: dict[int, set[int]] = {}
    for seq in conflicts:
        by_file.setdefault(seq >> FILE_SHIFT, set()).add(seq & ((1 << FILE_SHIFT) - 1))
    wanted = [(reader, by_file[reader.file.number]) for reader in readers if reader.file.number in by_file]
    for file, path in _in_threads(_conflicting_pieces(wanted, sieve), sieve.threads):
        sifted.refused.setdefault(file.number, []).append(path)


def _conflicting_pieces(
    wanted: list[tuple[Reader, set[int]]], sieve: Sieve
) -> Iterator[Callable[[], tuple[SourceFile, Path]]]:
    for reader, numbers in wanted:
        for piece, lazy in enumerate(reader.batches()):
            rows = lazy.among(numbers)
            if rows:
                path = sieve.folder / f"conflicts-{reader.file.number:05d}-{piece:06d}.arrow"
                yield partial(_seal_conflicts, lazy, rows, sieve, path)


def _seal_conflicts(lazy: LazyBatch, rows: list[int], sieve: Sieve, path: Path) -> tuple[SourceFile, Path]:
    refused = pl.DataFrame(
        {"row_number": rows, "reasons": [[CONFLICTING_DUPLICATE]] * len(rows)},
        schema_overrides={"row_number": pl.Int64},
    )
    seal(lazy.pick(rows), refused, sieve.keyring).write_ipc(path)
    return lazy.reader.file, path
