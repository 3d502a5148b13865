"""What can go wrong, by what the caller can do about it.

A message names the object, what was found, what was expected, the count and the remedy; the same facts stand on
`facts`. No row value and no identifier ever enters a message.
"""

from typing import Any


class CauriError(Exception):
    """Something failed that no other class describes."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders: the default would drop the keyword arguments.
        return _rebuild, (type(self), self.message, self.remedy, self.facts)


def _rebuild(cls: type[CauriError], message: str, remedy: str, facts: dict[str, Any]) -> CauriError:
    return cls(message, remedy=remedy, **facts)


class ConfigurationError(CauriError):
    """A setting or an option is missing or contradicts another: change it and call again."""

    exit_code = 2


class SourceError(CauriError):
    """A file cannot be read as what it claims to be: mend or remove the file."""

    exit_code = 1


class DataRefusedError(CauriError):
    """The batch is outside what was declared acceptable: nothing was published."""

    exit_code = 3


class TransientTargetError(CauriError):
    """The database is away, full or locked: the same command works later."""

    exit_code = 75


class LockBusyError(TransientTargetError):
    """Another session holds a lock for longer than we wait."""


class TargetError(CauriError):
    """The database refuses for good: its version, rights or contents must change first."""

    exit_code = 1


class NothingToDoError(CauriError):
    """Everything was already done."""

    exit_code = 99


class TrainingError(CauriError):
    """The transactions and labels there are do not make a model: load more, or choose other days."""


class ModelError(CauriError):
    """A model is missing, was changed, or is made for other features than there are."""
