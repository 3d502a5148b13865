"""What a step would run, as SQL to be read beforehand: composed by the functions that compose what is run."""

from collections.abc import Callable
from typing import Any

from partitions.adopt import adoption_phases
from partitions.archive import archiving, dropping_archived
from partitions.changes import capturing, dropping_aside, dropping_trigger
from partitions.exchanges import Exchange
from partitions.indexes import building
from partitions.leaves import making
from partitions.orphans import reattaching
from partitions.phases import Phase, remark
from partitions.regrain import exchange_phases
from partitions.rescue import rescue_phases
from partitions.steps.indexing import BuildIndex
from partitions.steps.make import AttachOrphan, CreateLeaf
from partitions.steps.remove import ArchiveLeaf, ClearLeftovers, DropLeaf
from partitions.steps.reshape import AdoptTable, ChangeGrain, RescueDefault
from partitions.steps.step import Step
from warehouse.connection import Connection, sql
from warehouse.errors import CauriError


def script(connection: Connection, step: Step, timezone: str) -> list[Phase]:
    """The phases of a step, with locks and SQL. `connection` is asked for columns, indexes and rights; nothing changes.

    A rescue or an adoption reads the keys of all rows: they tell which leaves there will be. A step that would be
    refused as things are now says so in place of its SQL.
    """
    try:
        return _SCRIPTS.get(step.kind, _plain)(connection, step, timezone)
    except CauriError as error:
        return [Phase(step.what, step.lock, (remark(f"would be refused: {error.message}"),))]


def _plain(connection: Connection, step: Step, timezone: str) -> list[Phase]:
    return [Phase(step.what, step.lock, tuple(step.statements), alone=not step.together, timeout=step.timeout)]


def _create(connection: Connection, step: CreateLeaf, timezone: str) -> list[Phase]:
    return [Phase(step.what, step.lock, tuple(making(connection, step.policy, step.span, timezone)))]


def _attach(connection: Connection, step: AttachOrphan, timezone: str) -> list[Phase]:
    return [Phase(step.what, step.lock, tuple(reattaching(connection, step.policy, step.leaf, timezone)))]


def _archive(connection: Connection, step: ArchiveLeaf, timezone: str) -> list[Phase]:
    return [Phase(step.what, step.lock, tuple(archiving(connection, step.policy, step.leaf)), timeout=None)]


def _drop(connection: Connection, step: DropLeaf, timezone: str) -> list[Phase]:
    if not step.archived:
        return _plain(connection, step, timezone)
    return [Phase(step.what, step.lock, tuple(dropping_archived(connection, step.leaf)), timeout=None)]


def _clear(connection: Connection, step: ClearLeftovers, timezone: str) -> list[Phase]:
    triggers = capturing(connection, step.policy)
    statements = [dropping_trigger(sql.Identifier(schema, leaf), name) for schema, leaf, name in triggers]
    return [
        *(Phase("end the capture of a leaf", "ACCESS EXCLUSIVE on it", (statement,)) for statement in statements),
        Phase(step.what, step.lock, (*dropping_aside(step.policy), *step.statements)),
    ]


def _regrain(connection: Connection, step: ChangeGrain, timezone: str) -> list[Phase]:
    return exchange_phases(connection, step.policy, Exchange(step.leaves, step.spans), timezone)


def _rescue(connection: Connection, step: RescueDefault, timezone: str) -> list[Phase]:
    return rescue_phases(connection, step.policy, timezone)


def _adopt(connection: Connection, step: AdoptTable, timezone: str) -> list[Phase]:
    return adoption_phases(connection, step.policy, timezone)


def _index(connection: Connection, step: BuildIndex, timezone: str) -> list[Phase]:
    statements = building(connection, step.policy, step.leaf, step.index)
    return [Phase(step.what, step.lock, tuple(statements), alone=True, timeout=step.timeout)]


_SCRIPTS: dict[str, Callable[[Connection, Any, str], list[Phase]]] = {
    "create": _create,
    "attach": _attach,
    "archive": _archive,
    "drop": _drop,
    "clear": _clear,
    "change grain": _regrain,
    "rescue": _rescue,
    "adopt": _adopt,
    "index": _index,
}
