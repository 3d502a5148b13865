"""Apply: plan, do each step, read the catalog again, until nothing is left to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from partitions.actions import ACTIONS, Site
from partitions.catalog import read_catalog
from partitions.plan import Plan, plan
from partitions.policy import Policy
from partitions.steps.step import Step
from warehouse.connection import Connection
from warehouse.errors import CauriError, LockBusyError, TransientTargetError
from warehouse.queries import query

# A rescue or a change of grain makes leaves that only the next plan can see.
MOST_ROUNDS = 5


@dataclass
class Applied:
    """Steps that were done, with their seconds; the error that stopped the steps of a table, by table."""

    steps: list[tuple[Step, float]] = field(default_factory=list)
    failures: dict[str, CauriError] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)

    @property
    def error(self) -> CauriError | None:
        """One error for those of all tables, None without any; temporary only if each of them is."""
        errors = list(self.failures.values())
        if len(errors) <= 1:
            return errors[0] if errors else None
        worst = next((error for error in errors if not isinstance(error, TransientTargetError)), errors[0])
        text = "\n".join(f"- {name}: {error.message}" for name, error in self.failures.items())
        return type(worst)(
            f"{len(errors)} tables failed, {len(self.steps)} step(s) were done:\n{text}", remedy=worst.remedy
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Each step that was done."""
        return [
            {"kind": step.kind, "table": step.policy.name, "leaf": step.subject, "line": step.line, "seconds": seconds}
            for step, seconds in self.steps
        ]


def today_in(timezone: str) -> date:
    """The day of the business time zone, by the clock on the wall."""
    return datetime.now(ZoneInfo(timezone)).date()


def read_plan(connection: Connection, policies: Sequence[Policy], timezone: str, today: date | None = None) -> Plan:
    """The plan for the warehouse as it is now."""
    return plan(policies, read_catalog(connection, policies, timezone), today or today_in(timezone))


def apply(
    site: Site,
    policies: Sequence[Policy],
    *,
    today: date | None = None,
    say: Callable[[Step], None] = lambda step: None,
) -> Applied:
    """Do what is to be done. The caller holds the writer lock. `say` is told of each step before it is done.

    A step that fails stops those of its table; other tables go on. The errors stand on the result.

    Raises:
        CauriError: the catalog cannot be read, or the database went away.
    """
    applied, tried = Applied(), set[str]()
    for _ in range(MOST_ROUNDS):
        applied.plan = read_plan(site.connection, policies, site.timezone, today)
        steps = [step for step in applied.plan.steps if _name(step) not in tried]
        if not steps:
            break
        for step in steps:
            if step.policy.name in applied.failures:
                continue
            tried.add(_name(step))
            say(step)
            _do(site, step, applied)
    return applied


def _name(step: Step) -> str:
    # Not done twice in one run: what an old transaction keeps from being frozen, say, is left for the next.
    return f"{step.policy.name} {step.line}"


def _do(site: Site, step: Step, applied: Applied) -> None:
    began = monotonic()
    try:
        ACTIONS[step.kind](site, step)
    except LockBusyError as error:
        applied.failures[step.policy.name] = _explained(site.connection, step, error)
    except CauriError as error:
        if site.connection.closed:
            raise
        applied.failures[step.policy.name] = type(error)(
            f"{step.what}: {error.message}", remedy=error.remedy, **error.facts
        )
    else:
        applied.steps.append((step, monotonic() - began))


def _explained(connection: Connection, step: Step, error: LockBusyError) -> LockBusyError:
    """The error with the sessions that may be in the way, oldest first: numbers and programs, no persons."""
    rows = connection.execute(query("partitions/in_the_way")).fetchall()
    sessions = ", ".join(f"{pid} ({program or 'no name'}, {state}, {age} s)" for pid, program, state, age in rows)
    return LockBusyError(
        f"{step.what}: {error.message}; the oldest transactions are of backend {sessions or 'none any more'}",
        remedy="run the same command again when they have ended: what is done is done",
        sessions=[row[0] for row in rows],
    )
