"""What a nightly run does after its load: whatever becomes of it, the load is done and stays."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.context import Context
from operations.attendant import Attendant
from warehouse.errors import CauriError, NothingToDoError

log = logging.getLogger(__name__)

DASHBOARDS = "dashboards"
NO_EXTRA = "there is a model, but the packages of the extra ml are not installed: uv run --extra ml cauri nightly"


@dataclass(frozen=True)
class Afterwards:
    """`name`: under which `told` stands in the JSON of the run. `line`: for a person. `error`: ends the command."""

    name: str
    status: str
    line: str
    told: dict[str, Any] = field(default_factory=dict)
    error: CauriError | None = None

    @property
    def is_nothing(self) -> bool:
        return self.status == "skipped"

    def to_json(self) -> dict[str, Any]:
        """What stands beside the summary of the load."""
        return {self.name: {**self.told, "status": self.status}}


def carried_out(
    acts: Sequence[Callable[[Context], Afterwards | None]], context: Context, attendant: Attendant
) -> list[Afterwards]:
    """What came of the acts that had something to say, in their order; who attends is told what went wrong."""
    after = [one for act in acts if (one := act(context))]
    for one in after:
        if one.error:
            attendant.went_wrong(one.name, one.error)
    return after


def skipped(name: str, message: str) -> Afterwards:
    """There was nothing to do, and why."""
    return Afterwards(name, "skipped", f"{name.capitalize()}: none; {message}", {"message": message})


def attempted(name: str, work: Callable[[], Afterwards | None]) -> Afterwards | None:
    """What came of some work; None where it is not wanted."""
    try:
        return work()
    except NothingToDoError as nothing:
        return skipped(name, nothing.message)
    except CauriError as error:
        return _failed(name, error)
    except Exception as exc:
        log.exception(f"{name} crashed")
        crash = f"{name} were not written: {type(exc).__name__}; the log has where"
        return _failed(name, CauriError(crash, remedy="run the same command again"))


def _failed(name: str, error: CauriError) -> Afterwards:
    told = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    return Afterwards(name, "error", f"{name.capitalize()}: not written; what was loaded stays.", told, error)
