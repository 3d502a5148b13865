"""Adoption: an ordinary table becomes a partitioned one, or a leaf of one, online."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from partitions.adopt_leaf import adopt_leaf, examined
from partitions.bounds import zone_of
from partitions.catalog import read_catalog, require_key_type
from partitions.columns import columns_of, written_columns
from partitions.copies import Copy
from partitions.dependents import require_no_dependents
from partitions.exchanges import spans_of_grain
from partitions.grain import Span
from partitions.keys import Keys, keys_of, require_days
from partitions.leaves import attached, execute_all, parent_of, plain_name
from partitions.phases import Phase, attaching, replacement, wrapping
from partitions.policy import Policy
from partitions.regrain import change_grain
from partitions.swap import ALL_WAIT, Replaced, locking
from partitions.turns import in_turns
from partitions.twin import become_partitioned, prove
from warehouse.connection import Connection, connect, sql, translated
from warehouse.errors import NothingToDoError, TargetError
from warehouse.queries import query

# More leaves than these say that a row has a wrong day.
MOST_LEAVES = 4000


@dataclass(frozen=True)
class Adopted:
    """What became of a table: the leaf that it is now, and the swaps that divided it."""

    table: str
    source: str
    leaf: str
    swaps: tuple[Replaced, ...] = ()

    def to_json(self) -> dict[str, Any]:
        swaps = [swap.to_json() for swap in self.swaps]
        return {"table": self.table, "source": self.source, "leaf": self.leaf, "swaps": swaps}


def adopt_table(url: str, policy: Policy, source: str, timezone: str) -> Adopted:
    """Make `source` (with or without its schema) a leaf of the policy's table, or that very table a partitioned one.

    The caller holds the writer lock. A table of the policy's name is first wrapped, without reading a row under a lock,
    then divided like any leaf; plain views on it go on, anything else that depends on it is an error.

    Raises:
        NothingToDoError: it is partitioned and divided already.
        TargetError: it is no ordinary table, its columns or rows do not fit, or something depends on it.
        TransientTargetError: locks were not had, or the database is away. What was done is kept; call again.
    """
    name = qualified(policy, source)
    if name != policy.name:
        leaf = adopt_leaf(url, policy, name, timezone)
        return Adopted(policy.name, name, leaf)
    with connect(url, application=f"cauri adopt {policy.name}") as connection, translated():
        leaf = _wrapped_before(connection, policy) or _wrap(connection, policy, timezone)
        table = read_catalog(connection, [policy], timezone).tables[policy.name]
    whole = [one for one in table.leaves if one.qualified == leaf]
    swaps = change_grain(url, policy, whole, spans_of_grain(whole, policy.grain, table.leaves), timezone)
    return Adopted(policy.name, name, leaf, tuple(swaps))


def qualified(policy: Policy, source: str) -> str:
    """A table's name with a schema: that of the policy's table if none is given."""
    return source if "." in source else f"{policy.table_schema}.{source}"


def phases_of(url: str, policy: Policy, source: str, timezone: str) -> list[Phase]:
    """What `adopt_table` would do; the same errors."""
    name = qualified(policy, source)
    with connect(url) as connection, translated():
        if name != policy.name:
            return attaching(connection, policy, *examined(connection, policy, name, timezone), timezone)
        return adoption_phases(connection, policy, timezone)


def adoption_phases(connection: Connection, policy: Policy, timezone: str) -> list[Phase]:
    """What is done to the table of a policy; its keys are read.

    Raises:
        NothingToDoError, TargetError: as `adopt_table`.
    """
    if leaf := _wrapped_before(connection, policy):
        table = read_catalog(connection, [policy], timezone).tables[policy.name]
        span, first = next(one.span for one in table.leaves if one.qualified == leaf), list[Phase]()
    else:
        span = _examined(connection, policy, timezone)
        # The path of this session is set for its queries alone.
        with connection.transaction(force_rollback=True):
            first = wrapping(connection, policy, span, timezone)
    assert span is not None
    units = tuple(policy.grain.spans(span.first, span.end))
    if units == (span,):
        return first
    # Before it is wrapped, the table itself has the columns and indexes that its leaf will have.
    columns = written_columns(connection, parent_of(policy))
    copy = Copy(policy, timezone, (attached(policy, span),), units, columns)
    return first + replacement(connection, copy)


def _wrapped_before(connection: Connection, policy: Policy) -> str | None:
    """The leaf that an interrupted adoption made of the table."""
    kind = table_kind(connection, policy.name)
    if kind == "r":
        return None
    row = connection.execute(query("adopt/last_adoption"), (policy.name,)).fetchone()
    if kind == "p" and row:
        return str(row[0])
    if kind == "p":
        raise NothingToDoError(f"{policy.name} is partitioned", remedy="name the table that is to become its leaf")
    raise TargetError(f"{policy.name} is not an ordinary table", remedy="correct schema and table in the policies")


def table_kind(connection: Connection, name: str) -> str | None:
    """As pg_class has it: r, p, f, v, m; None where there is nothing of that name."""
    row = connection.execute(query("adopt/table"), (sql.Identifier(*name.split(".")).as_string(),)).fetchone()
    return str(row[0]) if row else None


def _wrap(connection: Connection, policy: Policy, timezone: str) -> str:
    span = _examined(connection, policy, timezone)
    prove(connection, policy, parent_of(policy), span, timezone)
    for turn in in_turns(connection, [parent_of(policy)]):
        with turn:
            _become(connection, policy, span, timezone)
    return plain_name(attached(policy, span))


def _examined(connection: Connection, policy: Policy, timezone: str) -> Span:
    """The days of the one leaf that the table becomes first."""
    table = parent_of(policy)
    require_key_type(policy, {column.name: column.type for column in columns_of(connection, table)})
    require_no_dependents(connection, table, but=("view",))
    keys = keys_of(connection, policy, table, timezone)
    require_days(policy.name, keys)
    return _whole_span(policy, keys, datetime.now(zone_of(policy, timezone)).date())


def _whole_span(policy: Policy, keys: Keys, today: date) -> Span:
    """All days that have rows, and those that are made ahead, so that writers have a leaf all the time."""
    first, last = keys.days or (today, today)
    span = Span(policy.grain.span_of(first).first, policy.grain.ahead(max(last, today), policy.premake))
    leaves = sum(1 for _ in policy.grain.spans(span.first, span.end))
    if leaves > MOST_LEAVES:
        raise TargetError(
            f"{policy.name} has rows from {first} to {last}: {leaves} leaves of grain {policy.grain.value}",
            remedy="correct rows with a wrong day, or choose a coarser grain",
        )
    return span


def _become(connection: Connection, policy: Policy, span: Span, timezone: str) -> None:
    execute_all(connection, locking([parent_of(policy)], ALL_WAIT))
    become_partitioned(connection, policy, span, timezone)
    after = [plain_name(attached(policy, span))]
    connection.execute(query("replace/record"), ("adopt", policy.name, [policy.name], after, None, json.dumps(None)))
