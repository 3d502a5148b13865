"""Step 1, Discover: the files of each feed, known by their content."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.arrival import ALL_WHOLE, Arrival, Stamp, stamp_of
from engine.expectations import Expectations
from engine.feeds import CONTRACT_VERSION, FEEDS, Feed
from engine.mapping import MAPPING_FILE, Mapping, Source, default_sources, read_mapping
from warehouse.errors import ConfigurationError, SourceError

ENDINGS = (".csv", ".txt", ".tsv", ".parquet")
COMPRESSIONS = (".gz", ".zst")

NAMES_SHOWN = 5

# Hashing runs without Python's lock; more threads than a disk has patience for would only seek.
HASHING_THREADS = 4


@dataclass(frozen=True)
class SourceFile:
    """A file of a feed. `number` is its place in the order of the run: earlier files win conflicts."""

    number: int
    path: Path | None
    name: str
    source: Source
    size_bytes: int
    content_hash: str
    stamp: Stamp | None = None

    @property
    def feed(self) -> Feed:
        return self.source.feed

    @property
    def contract(self) -> str:
        """Contract version and mapping, as the ledger stores them."""
        return f"{CONTRACT_VERSION}-{self.source.fingerprint}"

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the ledger knows a file by."""
        return self.content_hash, self.feed.name, self.contract

    @property
    def is_parquet(self) -> bool:
        return self.name.lower().endswith(".parquet")

    @property
    def is_compressed(self) -> bool:
        """Whether its text is packed as a whole."""
        return self.name.lower().endswith(COMPRESSIONS)


@dataclass(frozen=True)
class Discovery:
    """What a folder holds: files in the order in which they are read, and the names of files of no feed.

    `unfinished` says of files that are still being written how that is known; `skipped` are those that the ledger
    knows; `expectations` are those of feeds.
    """

    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...] = ()
    same_content: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    skipped: tuple[SourceFile, ...] = ()
    expectations: dict[str, Expectations] = field(default_factory=dict)

    @property
    def contracts(self) -> dict[tuple[str, str], set[str]]:
        """Content hash and feed of each file that is to be read -> the contracts under which the folder has it."""
        found: dict[tuple[str, str], set[str]] = {(file.content_hash, file.feed.name): set() for file in self.files}
        for file in (*self.files, *self.skipped):
            found.get((file.content_hash, file.feed.name), set()).add(file.contract)
        return found


def discover(
    folder: Path, mapping: Path | None = None, arrival: Arrival = ALL_WHOLE, *, may_be_empty: bool = False
) -> Discovery:
    """Find and fingerprint the files of each feed in `folder` (not below it) that have arrived whole.

    Raises:
        ConfigurationError: the folder or the mapping does not exist, or the mapping is wrong.
        SourceError: the folder has no file of any feed, and that it may not; or a file cannot be read, or has a name
            that is no text.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is not a directory", remedy="give the directory that holds the feeds, or make one: cauri sample"
        )
    mapped = _mapping(folder, mapping)
    sources = mapped.sources
    candidates = sorted(path for path in folder.iterdir() if _is_candidate(path))
    _refuse_names([path for path in candidates if _looks_like_data(path)])
    found = [(path.name, source, path) for path in candidates for source in sources if _belongs(path, source)]
    if not may_be_empty and not found and not any(source.rows for source in sources):
        raise SourceError(
            f"{folder} holds no file of any feed ({len(candidates)} files seen)",
            remedy=f"names must begin with {', '.join(FEEDS)} and end with {', '.join(ENDINGS)} (also .gz, .zst),"
            f" or a {MAPPING_FILE} must say what belongs where",
        )
    taken = {name for name, _, _ in found}
    ignored = tuple(path.name for path in candidates if path.name not in taken and _looks_like_data(path))
    lacking = {path: lack for _, _, path in found if (lack := _lacks(path, arrival))}
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        whole = [item for item in found if item[2] not in lacking]
        fingerprinted = list(pool.map(lambda item: _fingerprint(*item), whole))
    unique, same = _without_copies([*_inline(sources), *fingerprinted])
    unfinished = tuple(f"{path.name} {lack}" for path, lack in lacking.items())
    return Discovery(unique, ignored, same, unfinished, expectations=mapped.expectations)


def _is_candidate(path: Path) -> bool:
    # A link to nothing is a file that is missing, and says so when it is read.
    return not path.name.startswith(".") and (path.is_file() or (path.is_symlink() and not path.exists()))


def _refuse_names(paths: Iterable[Path]) -> None:
    """Those of files or of the folder that are no text: neither Polars nor PostgreSQL takes them."""
    shown = {path: os.fsencode(path).decode("utf-8", "backslashreplace") for path in paths}
    wrong = [name for path, name in shown.items() if name != str(path)]
    if wrong:
        raise SourceError(
            f"{len(wrong)} file(s) have a path that is not UTF-8: {', '.join(wrong[:NAMES_SHOWN])}",
            remedy="rename them, for instance with convmv, or set a UTF-8 locale",
        )


def _lacks(path: Path, arrival: Arrival) -> str | None:
    with _readable(path.name):
        return arrival.lacks(path, time.time())


def _mapping(folder: Path, mapping: Path | None) -> Mapping:
    if mapping is not None:
        return read_mapping(mapping)
    if (folder / MAPPING_FILE).exists():
        return read_mapping(folder / MAPPING_FILE)
    return Mapping(default_sources())


def _belongs(path: Path, source: Source) -> bool:
    # Parquet is compressed inside; a packed one cannot be read from where it stands.
    packed = path.name.lower().endswith(tuple(f".parquet{compression}" for compression in COMPRESSIONS))
    return _looks_like_data(path) and not packed and source.covers(path.name)


def _looks_like_data(path: Path) -> bool:
    name = path.name.lower()
    for compression in COMPRESSIONS:
        name = name.removesuffix(compression)
    return name.endswith(ENDINGS)


def _fingerprint(name: str, source: Source, path: Path) -> SourceFile:
    with _readable(name), path.open("rb") as stream:
        # Of before the first byte is read: whoever writes afterwards changes it.
        stamp = stamp_of(path)
        content_hash = hashlib.file_digest(stream, "sha256").hexdigest()
    return SourceFile(0, path, name, source, stamp.size, content_hash, stamp)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise SourceError(f"{name} cannot be read: {exc.strerror}", remedy="check the file and its rights") from None


def _inline(sources: Iterable[Source]) -> list[SourceFile]:
    inline = []
    for source in sources:
        if source.rows:
            text = json.dumps(source.rows, sort_keys=True, default=str).encode()
            name = f"{MAPPING_FILE}:{source.feed.name}"
            inline.append(SourceFile(0, None, name, source, len(text), hashlib.sha256(text).hexdigest()))
    return inline


def _without_copies(files: Iterable[SourceFile]) -> tuple[tuple[SourceFile, ...], tuple[str, ...]]:
    order = {name: place for place, name in enumerate(FEEDS)}
    unique: dict[tuple[str, str, str], SourceFile] = {}
    same = []
    for file in sorted(files, key=lambda file: (order[file.feed.name], file.name)):
        if file.identity in unique:
            same.append(f"{file.name} (same content as {unique[file.identity].name})")
            continue
        unique[file.identity] = replace(file, number=len(unique))
    return tuple(unique.values()), tuple(same)
