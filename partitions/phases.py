"""What a change of leaves does, phase by phase, with its locks: as SQL to run and to show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from partitions.bounds import partition_clause
from partitions.changes import triggers
from partitions.control_totals import plain_name
from partitions.grain import Span
from partitions.leaves import Statement, attach_statement, attached, attachment, creation, parent_of, staged
from partitions.policy import Policy
from partitions.twin import ADOPTING, proof
from warehouse.connection import sql

WRITERS_WAIT = "SHARE ROW EXCLUSIVE"
ALL_WAIT = "ACCESS EXCLUSIVE"
_NOBODY_WAITS = "none that anyone waits for"


@dataclass(frozen=True)
class Phase:
    """A part of the work: what, under which lock for how long, and its SQL; what SQL does not tell is a comment."""

    what: str
    lock: str
    statements: tuple[Statement, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "lock": self.lock, "sql": [one.as_string(None) for one in self.statements]}


def locking(tables: Sequence[sql.Identifier], mode: LiteralString) -> list[sql.Composed]:
    """Locks on tables, in this order; without their leaves."""
    return [sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(table, sql.SQL(mode)) for table in tables]


def removal(parent: sql.Identifier, leaf: sql.Identifier) -> list[sql.Composed]:
    """A leaf goes."""
    return [
        sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(parent, leaf),
        sql.SQL("DROP TABLE {}").format(leaf),
    ]


def replacement(policy: Policy, old: Sequence[sql.Identifier], spans: Sequence[Span], timezone: str) -> list[Phase]:
    """The phases in which leaves for `spans` take the place of `old`."""
    parent, names = parent_of(policy), ", ".join(map(plain_name, old))
    swap: list[Statement] = [
        *locking([parent, *old], WRITERS_WAIT),
        _remark("the last changes come into the new leaves"),
    ]
    swap += locking([parent, *old], ALL_WAIT)
    swap += [statement for leaf in old for statement in removal(parent, leaf)]
    swap += [statement for span in spans for statement in attachment(policy, span, timezone)]
    return [
        Phase(
            f"write down what changes in {names}",
            f"{WRITERS_WAIT} on each of them, in turns of 100 ms: writers wait, readers do not",
            tuple(statement for leaf in old for statement in triggers(policy, leaf)),
        ),
        Phase(
            f"build {len(spans)} leaves aside from one snapshot",
            _NOBODY_WAITS,
            tuple(_building(policy, spans, timezone)),
        ),
        Phase("catch up in rounds; compare rows and sums of old and new leaves", _NOBODY_WAITS),
        Phase(
            "swap, in one transaction",
            f"{WRITERS_WAIT} on {policy.name} for the last changes, then {ALL_WAIT} for about"
            f" {_milliseconds(spans)} ms, asked for in turns of 100 ms",
            tuple(swap),
        ),
    ]


def _milliseconds(spans: Sequence[Span]) -> int:
    # Measured: 32 ms for 31 leaves with three indexes each.
    return 5 + len(spans)


def _building(policy: Policy, spans: Sequence[Span], timezone: str) -> Iterator[Statement]:
    for span in spans:
        yield from creation(policy, span, timezone)
    yield _remark("INSERT ... SELECT of their rows, once through; then the indexes of each leaf")
    for span in spans:
        yield sql.SQL("ANALYZE {}").format(staged(policy, span))
        yield sql.SQL("VACUUM (FREEZE) {}").format(staged(policy, span))


def _remark(text: LiteralString) -> sql.SQL:
    return sql.SQL(f"-- {text}")


def wrapping(policy: Policy, span: Span, timezone: str) -> list[Phase]:
    """The phases in which an ordinary table becomes the single leaf of a partitioned one."""
    add, validate = proof(policy, parent_of(policy), span, timezone)
    return [
        Phase(
            f"a CHECK {plain_name(ADOPTING)} for the days {span} on {policy.name}",
            f"{ALL_WAIT} on {policy.name} for a moment, asked for in turns of 100 ms",
            (add,),
        ),
        Phase("prove it: every row is read", _NOBODY_WAITS, (validate,)),
        Phase(
            f"a partitioned table takes its name, rights, comments, sequences and views; it becomes"
            f" {span.leaf_of(policy.name)}",
            f"{ALL_WAIT} on {policy.name} for a moment, asked for in turns of 100 ms",
            tuple(locking([parent_of(policy)], ALL_WAIT)),
        ),
    ]


def attaching(policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> list[Phase]:
    """The phases in which a table made by hand becomes a leaf, its indexes apart."""
    add, validate = proof(policy, table, span, timezone)
    name = plain_name(table)
    return [
        Phase(
            f"a CHECK {plain_name(ADOPTING)} for the days {span} on {name}",
            f"{ALL_WAIT} on {name} for a moment, asked for in turns of 100 ms",
            (add,),
        ),
        Phase("prove it: every row is read; build the indexes that are missing", _NOBODY_WAITS, (validate,)),
        Phase(
            f"{name} becomes {span.leaf_of(policy.name)}; rights on it go",
            f"SHARE UPDATE EXCLUSIVE on {policy.name}; {ALL_WAIT} on {name}",
            (attach_statement(parent_of(policy), attached(policy, span), partition_clause(policy, span, timezone)),),
        ),
    ]
