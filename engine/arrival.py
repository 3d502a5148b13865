"""Whether a file has arrived whole: somebody may still be writing it."""

from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import SourceError

MARKER = ".done"


@dataclass(frozen=True)
class Stamp:
    """Size in bytes and moment of the last change in nanoseconds: another one means that somebody wrote."""

    size: int
    changed_at_ns: int


@dataclass(frozen=True)
class Arrival:
    """When a file counts as whole: it rested for `settle_seconds`, or `NAME.done` stands beside it.

    With `markers`, nothing but the marker counts.
    """

    settle_seconds: float = 0.0
    markers: bool = False

    def lacks(self, path: Path, now: float) -> str | None:
        """What the file lacks to be whole, None if nothing; `now` is in seconds since 1970."""
        if path.with_name(path.name + MARKER).exists():
            return None
        if self.markers:
            return f"has no {path.name}{MARKER} beside it"
        # A clock may run ahead of another one, or be set back; what was changed far in the future is no news.
        age = abs(now - path.stat().st_mtime)
        if age < self.settle_seconds:
            return f"was changed less than {self.settle_seconds:g} s ago"
        return None


ALL_WHOLE = Arrival()


def stamp_of(path: Path) -> Stamp:
    """The file's stamp as it is now.

    Raises:
        OSError: the file is gone.
    """
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime_ns)


def require_unchanged(stamps: dict[Path, Stamp]) -> None:
    """Refuse files that were written to since their stamps were taken.

    Raises:
        SourceError: one or more were; all of them are named.
    """
    changed = sorted(path.name for path, stamp in stamps.items() if not _is_unchanged(path, stamp))
    if changed:
        raise SourceError(
            f"{len(changed)} file(s) changed while they were read: {', '.join(changed)}; nothing was loaded",
            remedy="run the same command again when they are whole",
        )


def _is_unchanged(path: Path, stamp: Stamp) -> bool:
    try:
        return stamp_of(path) == stamp
    except OSError:
        return False
