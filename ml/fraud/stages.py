"""Which model scores: champion, shadow, retired, in one file that is replaced in one step."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from warehouse.errors import ModelError

CHAMPION, SHADOW, RETIRED = "champion", "shadow", "retired"

FILE = "stages.json"


@dataclass(frozen=True)
class Stages:
    """`champions`: versions in the order in which they were promoted, the last one scores. `undone`: rolled back."""

    champions: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()

    @property
    def champion(self) -> str | None:
        return self.champions[-1] if self.champions else None

    def of(self, version: str) -> str:
        """Stage of a registered version; a new one is a shadow."""
        if version == self.champion:
            return CHAMPION
        return RETIRED if version in (*self.champions, *self.undone) else SHADOW

    def promoted(self, version: str) -> "Stages":
        """With another champion; the one before is retired."""
        if version == self.champion:
            return self
        undone = tuple(one for one in self.undone if one != version)
        return Stages((*(one for one in self.champions if one != version), version), undone)

    def rolled_back(self) -> "Stages":
        """With the champion before this one.

        Raises:
            ModelError: there was none.
        """
        if len(self.champions) < 2:
            raise ModelError(
                "there is no champion before this one to go back to", remedy="cauri fraud promote VERSION chooses any"
            )
        return replace(self, champions=self.champions[:-1], undone=(*self.undone, self.champions[-1]))


def read_stages(folder: Path) -> Stages:
    """Stages as they stand.

    Raises:
        ModelError: the file is not one of ours.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Stages(tuple(document["champions"]), tuple(document["undone"]))
    except FileNotFoundError:
        return Stages()
    except (ValueError, TypeError, KeyError) as exc:
        raise ModelError(f"{path} was changed: it is not what Cauri writes", remedy="remove it and promote") from exc


def write_stages(folder: Path, stages: Stages) -> None:
    """Replace the file: whoever reads sees the old state or the new one, also after a power cut."""
    number, name = tempfile.mkstemp(prefix=".stages-", dir=folder)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump(asdict(stages), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(folder / FILE)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder last."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until nobody else changes the stages; the lock goes with its process."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
