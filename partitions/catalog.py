"""What there is: partitioned tables and their leaves, read from PostgreSQL's catalogs alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from partitions.grain import Span, span_named
from warehouse.connection import Connection
from warehouse.queries import query


@dataclass(frozen=True)
class Index:
    """An index of a leaf or of a parent: its columns in order, and whether PostgreSQL may use it."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    valid: bool = True


@dataclass(frozen=True)
class Leaf:
    """A table that is, was or will be a partition of `table`.

    `span` is None where its bounds are not whole days of the policy's zone (made by hand, or MINVALUE, MAXVALUE).
    `rows` is the planner's estimate, -1 before the first ANALYZE. `held_until` keeps a restored leaf from its end.
    """

    table: str
    schema: str
    name: str
    span: Span | None
    bounds: str = ""
    bytes: int = 0
    rows: int = 0
    changed_rows: int = 0
    analysed: bool = True
    all_frozen: bool = True
    frozen_age: int = 0
    indexes: tuple[Index, ...] = ()
    grants: tuple[str, ...] = ()
    detaching: bool = False
    held_until: date | None = None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Table:
    """A partitioned table. `orphans` are tables in `dwh_parts` that look like its leaves and are not attached.

    `staged` are such tables in `staging`: a load or a change of grain was interrupted there.
    """

    name: str
    exists: bool = True
    key: str = "date_key"
    leaves: tuple[Leaf, ...] = ()
    default: Leaf | None = None
    orphans: tuple[Leaf, ...] = ()
    staged: tuple[Leaf, ...] = ()
    indexes: tuple[Index, ...] = ()
    analysed: bool = True


@dataclass(frozen=True)
class Catalog:
    """The tables of the policies, by name with schema; `server_version` as PostgreSQL numbers it (180006)."""

    tables: dict[str, Table] = field(default_factory=dict)
    server_version: int = 180_000


def attached_spans(connection: Connection) -> set[Span]:
    """Days for which `fact_transactions` has a leaf."""
    rows = connection.execute(query("partitions/attached_leaves"), ("dwh.fact_transactions",)).fetchall()
    return _spans(name for (name,) in rows)


def built_spans(connection: Connection) -> set[Span]:
    """Days whose leaves stand complete in `staging`, ready to be attached."""
    rows = connection.execute(query("partitions/staged_tables")).fetchall()
    return _spans(name for (name,) in rows)


def _spans(names: Iterable[str]) -> set[Span]:
    found = (span_named(name, "fact_transactions") for name in names)
    return {span for span in found if span is not None}
