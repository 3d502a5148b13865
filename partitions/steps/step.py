"""What every step knows of itself, and how the leaves of a table change."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from partitions.catalog import Catalog, Leaf, Table, age
from partitions.leaves import Statement
from partitions.policy import Policy
from partitions.turns import LOCK_TIMEOUT

Leaves = tuple[Leaf, ...]

NO_LOCK = "none that anyone waits for"


@dataclass(frozen=True)
class Cost:
    """How many rows and bytes a step reads or writes, as far as PostgreSQL's estimates tell."""

    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Step(ABC):
    """Something to be done to a table: what, under which lock, at what cost, by which SQL, and what is then there."""

    policy: Policy
    kind: ClassVar[str]
    sign: ClassVar[str] = "~"
    # Whether its statements run in one transaction, and how long they wait for a lock before they are tried again.
    together: ClassVar[bool] = False
    timeout: ClassVar[str] = LOCK_TIMEOUT

    @property
    @abstractmethod
    def what(self) -> str:
        """What it does, for a person."""

    @property
    def subject(self) -> str | None:
        """Name of the leaf that it is about, without a schema; None if it is about the table."""
        return None

    @property
    def lock(self) -> str:
        """The strongest lock that it takes, and on what."""
        return NO_LOCK

    @property
    def cost(self) -> Cost:
        return Cost()

    @property
    def statements(self) -> Sequence[Statement]:
        """The SQL that it runs, where policy and catalog tell all of it; that of all steps is told by `script`."""
        return ()

    @abstractmethod
    def change(self, table: Table) -> Table:
        """The table after it."""

    def after(self, catalog: Catalog) -> Catalog:
        """The catalog after it."""
        name = self.policy.name
        return replace(catalog, tables={**catalog.tables, name: self.change(catalog.tables[name])})

    @property
    def line(self) -> str:
        """A line like that of a diff: `+` comes, `-` goes, `~` changes."""
        return f"{self.sign} {self.what}"

    def to_json(self) -> dict[str, Any]:
        """The step for a program."""
        return {
            "kind": self.kind,
            "table": self.policy.name,
            "leaf": self.subject,
            "line": self.line,
            "lock": self.lock,
            "rows": self.cost.rows,
            "bytes": self.cost.bytes,
        }


@dataclass(frozen=True)
class LeafStep(Step):
    """A step about one leaf."""

    leaf: Leaf

    @property
    def subject(self) -> str:
        return self.leaf.name

    @property
    def cost(self) -> Cost:
        return Cost(max(self.leaf.rows, 0), self.leaf.bytes)


def inserted(leaves: Leaves, leaf: Leaf) -> Leaves:
    """Leaves in order, with one more."""
    place = bisect_left(leaves, age(leaf), key=age)
    return (*leaves[:place], leaf, *leaves[place:])


def removed(leaves: Leaves, leaf: Leaf) -> Leaves:
    """Leaves in order, without one."""
    place = _place(leaves, leaf)
    return leaves if place is None else (*leaves[:place], *leaves[place + 1 :])


def updated(leaves: Leaves, leaf: Leaf, **changes: Any) -> Leaves:
    """Leaves in order, one of them changed."""
    place = _place(leaves, leaf)
    if place is None:
        return leaves
    return (*leaves[:place], replace(leaves[place], **changes), *leaves[place + 1 :])


def found(leaves: Leaves, leaf: Leaf) -> Leaf | None:
    """The leaf of this name as it is now."""
    place = _place(leaves, leaf)
    return None if place is None else leaves[place]


def _place(leaves: Leaves, leaf: Leaf) -> int | None:
    place = bisect_left(leaves, age(leaf), key=age)
    return place if place < len(leaves) and leaves[place].name == leaf.name else None
