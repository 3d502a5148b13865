"""What a change of leaves does, phase by phase, with its locks: the very SQL that is run, to be read beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from partitions import adopt_leaf
from partitions.catch_up import catching_up
from partitions.changes import dropping_aside, notebook, triggers
from partitions.copies import Copy, building, comparing, freezing, net_table
from partitions.grain import Span
from partitions.leaves import Statement, attachment, parent_of, plain_name, removal
from partitions.policy import Policy
from partitions.swap import ALL_WAIT, WRITERS_WAIT, keeping_rest, locking, releasing
from partitions.turns import LOCK_TIMEOUT
from partitions.twin import ADOPTING, becoming, proof
from warehouse.connection import Connection, sql

NOBODY_WAITS = "none that anyone waits for"


@dataclass(frozen=True)
class Phase:
    """A part of the work: what, under which lock for how long, and its SQL; what SQL does not tell is a comment.

    Its statements are one transaction, or run `alone`, one by one. For a lock they wait `timeout` at a time, and are
    tried again; without it as long as the server lets them.
    """

    what: str
    lock: str
    statements: tuple[Statement, ...] = ()
    alone: bool = False
    timeout: str | None = LOCK_TIMEOUT

    @property
    def script(self) -> list[str]:
        """Lines of SQL in their order, with what surrounds the statements; without semicolons."""
        texts = [statement.as_string(None) for statement in self.statements]
        if all(text.startswith("--") for text in texts):
            return texts
        if self.alone:
            around = ([f"SET lock_timeout = '{self.timeout}'"], ["RESET lock_timeout"]) if self.timeout else ([], [])
            return [*around[0], *texts, *around[1]]
        begin = ["BEGIN", f"SET LOCAL lock_timeout = '{self.timeout}'"] if self.timeout else ["BEGIN"]
        return [*begin, *texts, "COMMIT"]

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "lock": self.lock, "sql": self.script}


def remark(text: str) -> sql.SQL:
    """A line of SQL that says what SQL does not do."""
    return sql.SQL(f"-- {text}")


def replacement(connection: Connection, copy: Copy) -> list[Phase]:
    """The phases in which new leaves take the place of old ones. `connection` is asked for the indexes of the table."""
    names, first = ", ".join(map(plain_name, copy.old)), copy.old[0]
    return [
        Phase("make a table of changes", NOBODY_WAITS, tuple(notebook(copy.policy, first, copy.columns)), timeout=None),
        *(
            Phase(
                f"write down what changes in {plain_name(leaf)}",
                f"{WRITERS_WAIT} on it, in turns of {LOCK_TIMEOUT}: writers wait, readers do not",
                tuple(triggers(copy.policy, leaf)),
            )
            for leaf in copy.old
        ),
        Phase("make a table for sums of changes", NOBODY_WAITS, tuple(net_table(copy)), alone=True, timeout=None),
        Phase(
            f"build {len(copy.spans)} leaves aside from one snapshot of {names}",
            NOBODY_WAITS,
            tuple(building(connection, copy)),
            timeout=None,
        ),
        Phase("freeze them", NOBODY_WAITS, tuple(freezing(copy)), alone=True, timeout=None),
        Phase(
            "catch up, in rounds until one is short",
            NOBODY_WAITS,
            (
                *catching_up(copy),
                remark("the DELETE is run for each new leaf that the SELECT before it names, with the places it finds"),
            ),
            timeout=None,
        ),
        Phase(
            "catch up once more, and compare rows and sums of old and new leaves",
            NOBODY_WAITS,
            (
                sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
                *catching_up(copy),
                *comparing(copy),
                remark("if they differ, all of it ends here, and is removed"),
            ),
            timeout=None,
        ),
        _swap(copy),
    ]


def _swap(copy: Copy) -> Phase:
    policy, parent = copy.policy, parent_of(copy.policy)
    tables = [parent, *copy.old]
    return Phase(
        "swap, when no transaction has an older snapshot",
        f"{WRITERS_WAIT} on {policy.name} for the last changes, then {ALL_WAIT} for about"
        f" {_milliseconds(copy.spans)} ms, asked for in turns of {LOCK_TIMEOUT}",
        (
            *locking(tables, WRITERS_WAIT),
            *catching_up(copy),
            *releasing(copy),
            *locking(tables, ALL_WAIT),
            *(statement for leaf in copy.old for statement in removal(parent, leaf)),
            *(one for span in copy.spans for one in attachment(policy, span, copy.timezone)),
            *(_rest(copy) if copy.rest else ()),
            *dropping_aside(policy),
            remark("and a row in ops.leaf_change with the totals"),
        ),
    )


def _rest(copy: Copy) -> list[Statement]:
    assert copy.rest is not None
    alternative = remark(f"if {plain_name(copy.rest)} has rows, which belong to no leaf, instead of the DROP:")
    drop = sql.SQL("DROP TABLE {}").format(copy.rest)
    return [drop, alternative, *(remark(statement.as_string(None)) for statement in keeping_rest(copy))]


def _milliseconds(spans: Sequence[Span]) -> int:
    # Measured: 32 ms for 31 leaves with three indexes each.
    return 5 + len(spans)


def _proving(policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> list[Phase]:
    add, validate = proof(policy, table, span, timezone)
    name = plain_name(table)
    return [
        Phase(
            f"a CHECK {plain_name(ADOPTING)} for the days {span} on {name}",
            f"{ALL_WAIT} on {name} for a moment, asked for in turns of {LOCK_TIMEOUT}",
            (add,),
        ),
        Phase("prove it: every row is read", NOBODY_WAITS, (validate,)),
    ]


def wrapping(connection: Connection, policy: Policy, span: Span, timezone: str) -> list[Phase]:
    """The phases in which an ordinary table becomes the single leaf of a partitioned one."""
    return [
        *_proving(policy, parent_of(policy), span, timezone),
        Phase(
            f"a partitioned table takes its name, rights, comments, sequences and views; it becomes"
            f" {span.leaf_of(policy.name)}",
            f"{ALL_WAIT} on {policy.name} for a moment, asked for in turns of {LOCK_TIMEOUT}",
            (
                *locking([parent_of(policy)], ALL_WAIT),
                sql.SQL("SET LOCAL search_path = pg_catalog"),
                *becoming(connection, policy, span, timezone),
                remark("and a row in ops.leaf_change"),
            ),
        ),
    ]


def attaching(connection: Connection, policy: Policy, table: sql.Identifier, span: Span, timezone: str) -> list[Phase]:
    """The phases in which a table made by hand becomes a leaf."""
    name = plain_name(table)
    lacking = adopt_leaf.lacking(connection, policy, table)
    indexes = tuple(adopt_leaf.building(table, index) for index in lacking)
    return [
        *_proving(policy, table, span, timezone),
        *([Phase("indexes that are missing", NOBODY_WAITS, indexes, alone=True, timeout=None)] if indexes else []),
        Phase(
            f"{name} becomes {span.leaf_of(policy.name)}; rights on it go",
            f"SHARE UPDATE EXCLUSIVE on {policy.name}; {ALL_WAIT} on {name}",
            (
                *adopt_leaf.attaching(connection, policy, table, span, timezone),
                remark("and a row in ops.leaf_change"),
            ),
        ),
    ]
