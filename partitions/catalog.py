"""What there is: partitioned tables and their leaves, read from PostgreSQL's catalogs alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from partitions.bounds import span_of_bounds, span_of_check
from partitions.grain import Span, span_named
from partitions.policy import KeyKind, Policy
from warehouse.connection import Connection, sql, translated
from warehouse.errors import TargetError
from warehouse.queries import query


@dataclass(frozen=True)
class Index:
    """An index of a leaf or of a parent: its columns in order, and whether PostgreSQL may use it.

    A `partial` one has a WHERE; what is an expression stands among the columns as its text.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    valid: bool = True
    partial: bool = False


@dataclass(frozen=True)
class Leaf:
    """A table that is, was or will be a partition of `table`.

    `span` is None where its bounds are not whole days of the policy's zone (made by hand, or MINVALUE, MAXVALUE);
    of a table that is not attached it is what a CHECK on the key says, or else its name.
    `rows` is the planner's estimate, -1 before the first ANALYZE; `changed_rows` were written since the last one.
    `frozen_age` counts transactions since the oldest row that is not frozen may have been written.
    `grants` are the roles, other than the owner, that have a right on it; `public` is everyone.
    `held_until` keeps a restored leaf from its end.
    A foreign table, and a leaf that has leaves of its own, are not `ordinary`. A loose table `fits` if it has the
    columns of the parent, and is `proven` if a CHECK holds its rows within its span; it is `awaited` if an interrupted
    load built it, and attaches it when it is run again. `undivided` is a whole table that was adopted as one leaf.
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
    ordinary: bool = True
    fits: bool = True
    proven: bool = True
    awaited: bool = False
    undivided: bool = False

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Table:
    """A partitioned table. `orphans` are tables in `dwh_parts` that look like its leaves and are not attached.

    `staged` are such tables in `staging`: a load or a change of grain was interrupted there. It does not exist where
    the database has no such table, or an ordinary one: that is `unpartitioned`. `rows` is the planner's estimate as of
    the last ANALYZE of the table as a whole, -1 before the first. It is `interrupted` if a change of its leaves left
    traces.
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
    rows: int = 0
    unpartitioned: bool = False
    interrupted: bool = False


@dataclass(frozen=True)
class Catalog:
    """The tables of the policies, by name with schema; `server_version` as PostgreSQL numbers it (180006)."""

    tables: dict[str, Table] = field(default_factory=dict)
    server_version: int = 180_000


class _Row(NamedTuple):
    """A line of `partitions/catalog.sql`: a parent, a leaf, or a loose table."""

    role: str
    table: str | None
    schema: str
    name: str
    kind: str
    key: str | None
    columns: list[list[str]] | None
    checks: list[str] | None
    bounds: str | None
    bytes: int
    rows: int
    changed_rows: int
    analysed: bool
    all_frozen: bool
    frozen_age: int
    indexes: list[list[Any]] | None
    grants: list[str] | None
    detaching: bool
    held_until: date | None
    awaited: bool
    interrupted: bool
    undivided: bool


_TYPES = {KeyKind.DATE_KEY: "integer", KeyKind.DATE: "date", KeyKind.MOMENT: "timestamp with time zone"}


def read_catalog(connection: Connection, policies: Sequence[Policy], timezone: str) -> Catalog:
    """The tables of the policies as they are now. `timezone` is the business time zone.

    Raises:
        TargetError: a table is partitioned, but not by ranges of its policy's key; or it is no table at all.
        TransientTargetError: the server is away.
    """
    names = {"schemas": [policy.table_schema for policy in policies], "tables": [policy.table for policy in policies]}
    with translated(), connection.transaction():
        # Bounds are printed in the form and zone of the session.
        connection.execute("SELECT set_config('datestyle', 'ISO, YMD', true), set_config('timezone', 'UTC', true)")
        rows = [_Row(*row) for row in connection.execute(query("partitions/catalog"), names).fetchall()]
    parents = {row.table: row for row in rows if row.role == "parent"}
    leaves, loose = defaultdict(list), _loose(policies, rows, timezone)
    for row in rows:
        if row.role == "leaf":
            leaves[row.table].append(row)
    tables = {
        policy.name: _table(policy, parents.get(policy.name), leaves[policy.name], loose[policy.name], timezone)
        for policy in policies
    }
    return Catalog(tables, connection.info.server_version)


def _table(policy: Policy, row: _Row | None, leaves: list[_Row], loose: list[_Row], timezone: str) -> Table:
    if row is None or row.kind == "r":
        return Table(
            policy.name,
            exists=False,
            key=policy.key,
            analysed=False,
            unpartitioned=row is not None,
            interrupted=row is not None and row.interrupted,
        )
    _require_key(policy, row)
    attached = sorted((_leaf(policy, leaf, timezone) for leaf in leaves), key=age)
    beside = sorted(
        (replace(_leaf(policy, table, timezone), fits=table.columns == row.columns) for table in loose), key=age
    )
    return Table(
        policy.name,
        key=policy.key,
        leaves=tuple(leaf for leaf in attached if leaf.bounds != "DEFAULT"),
        default=next((leaf for leaf in attached if leaf.bounds == "DEFAULT"), None),
        orphans=tuple(leaf for leaf in beside if leaf.schema == "dwh_parts"),
        staged=tuple(leaf for leaf in beside if leaf.schema == "staging"),
        indexes=_indexes(row),
        analysed=row.analysed,
        rows=row.rows,
        interrupted=row.interrupted,
    )


def _require_key(policy: Policy, row: _Row) -> None:
    if row.kind != "p":
        raise TargetError(f"{policy.name} is not a table", remedy="correct schema and table in the policies")
    types: dict[str, str] = dict(row.columns or [])
    found, wanted = f"{row.key} {types.get(policy.key, '')}".strip(), f"RANGE ({policy.key}) {_TYPES[policy.key_kind]}"
    if found.replace('"', "") != wanted:
        raise TargetError(
            f"{policy.name} is partitioned by {found}; its policy says {wanted}",
            remedy="correct key and key_kind in the policies: the key of a table cannot change",
        )


def require_key_type(policy: Policy, types: dict[str, str]) -> None:
    """Refuse a table whose key is not of the type that its policy says.

    Raises:
        TargetError: naming both.
    """
    if types.get(policy.key) != _TYPES[policy.key_kind]:
        raise TargetError(
            f"{policy.name}: the key {policy.key} is {types.get(policy.key, 'missing')};"
            f" its policy says {_TYPES[policy.key_kind]}",
            remedy="correct key and key_kind in the policies",
        )


def _leaf(policy: Policy, row: _Row, timezone: str) -> Leaf:
    if row.bounds is None:
        spans = (span_of_check(policy, check, timezone) for check in row.checks or [])
        proof = next((span for span in spans if span), None)
        span = proof or span_named(row.name, policy.table)
    else:
        proof = span = span_of_bounds(policy, row.bounds, timezone)
    return Leaf(
        policy.name,
        row.schema,
        row.name,
        span,
        bounds=row.bounds or "",
        bytes=row.bytes,
        rows=row.rows,
        changed_rows=row.changed_rows,
        analysed=row.analysed,
        all_frozen=row.all_frozen,
        frozen_age=row.frozen_age,
        indexes=_indexes(row),
        grants=tuple(row.grants or ()),
        detaching=row.detaching,
        held_until=row.held_until,
        ordinary=row.kind == "r",
        proven=proof is not None,
        awaited=row.awaited,
        undivided=row.undivided,
    )


def _indexes(row: _Row) -> tuple[Index, ...]:
    return tuple(
        Index(name, tuple(columns), unique, valid, partial)
        for name, columns, unique, valid, partial in row.indexes or ()
    )


def age(leaf: Leaf) -> tuple[date, str]:
    """Leaves in their order: oldest first, those without a span last."""
    return leaf.span.first if leaf.span else date.max, leaf.name


def _loose(policies: Sequence[Policy], rows: list[_Row], timezone: str) -> dict[str, list[_Row]]:
    """Tables without a parent by the policy whose leaves they look like: by their name, or by columns and CHECK."""
    columns = {row.table: row.columns for row in rows if row.role == "parent"}
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.role != "loose":
            continue
        named = [policy for policy in policies if span_named(row.name, policy.table)]
        checked = [
            policy
            for policy in policies
            if row.columns == columns.get(policy.name)
            and any(span_of_check(policy, check, timezone) for check in row.checks or [])
        ]
        for policy in [*named, *checked][:1]:
            found[policy.name].append(row)
    return found
