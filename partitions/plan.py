"""From what is wanted and what there is to the steps between: a pure function, printed before anything is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from partitions import problems, upkeep
from partitions.advice import Advice, advise
from partitions.catalog import Catalog, Table
from partitions.policy import AtEnd, Policy, partner_of
from partitions.problems import Problem
from partitions.steps.make import AttachOrphan, CreateLeaf
from partitions.steps.remove import ArchiveLeaf, ClearLeftovers, DetachLeaf, DropLeaf, FinalizeDetach
from partitions.steps.reshape import AdoptTable, RescueDefault
from partitions.steps.step import Step
from partitions.timeline import Timeline, coarser, horizon, past_leaves, timeline


@dataclass(frozen=True)
class Plan:
    """Steps in their order, what no step will put right, and what a person may want to change in the policies."""

    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()
    advice: tuple[Advice, ...] = ()

    def after(self, catalog: Catalog) -> Catalog:
        """The catalog once all steps are done."""
        for step in self.steps:
            catalog = step.after(catalog)
        return catalog

    def to_json(self) -> dict[str, Any]:
        """The plan for a program."""
        return {
            "steps": [step.to_json() for step in self.steps],
            "problems": [vars(problem) for problem in self.problems],
            "advice": [vars(advice) for advice in self.advice],
        }


@dataclass
class _Draft:
    """A table on its way: as it will be after the steps so far."""

    policy: Policy
    table: Table
    today: date
    steps: list[Step]
    problems: list[Problem]

    def take(self, steps: Iterable[Step]) -> None:
        """Add steps that were planned for the table as it is now."""
        for step in list(steps):
            self.steps.append(step)
            self.table = step.change(self.table)


def plan(policies: Sequence[Policy], catalog: Catalog, today: date) -> Plan:
    """What is to be done, table by table. `today` is a day of the business time zone, by the clock on the wall."""
    drafts: dict[str, _Draft] = {}
    for policy in _coarsest_first(policies):
        draft = _Draft(policy, catalog.tables[policy.name], today, [], [])
        partner = partner_of(policy, policies)
        beside = drafts[partner.name].table if partner and partner.name in drafts else None
        if beside is None and partner:
            beside = catalog.tables[partner.name]
        _plan_table(draft, catalog.server_version, partner, beside)
        drafts[policy.name] = draft
    ordered = [drafts[policy.name] for policy in policies]
    return Plan(
        tuple(step for draft in ordered for step in draft.steps),
        tuple(problem for draft in ordered for problem in draft.problems),
        tuple(advice for draft in ordered for advice in advise(draft.policy, draft.table, today)),
    )


def _plan_table(draft: _Draft, server_version: int, partner: Policy | None, beside: Table | None) -> None:
    policy = draft.policy
    draft.take(_leftovers(policy, draft.table))
    if draft.table.unpartitioned:
        draft.take([AdoptTable(policy)])
        return
    stops = problems.blocking(policy, draft.table)
    draft.problems += stops
    if not draft.table.exists:
        return
    if any(
        leaf.undivided and leaf.span and policy.grain.span_of(leaf.span.first) != leaf.span
        for leaf in draft.table.leaves
    ):
        draft.take([AdoptTable(policy)])
        return
    draft.take(FinalizeDetach(policy, leaf) for leaf in draft.table.leaves if leaf.detaching)
    if draft.table.default is not None:
        # Nothing can be detached concurrently beside a DEFAULT partition, and each attach would scan it.
        draft.take([RescueDefault(policy, draft.table.default)])
        return
    if not stops:
        _come_and_go(draft, partner, beside)
    draft.problems += problems.of_leaves(policy, draft.table)
    draft.take(upkeep.index_steps(policy, draft.table))
    draft.take(upkeep.completion_steps(policy, draft.table))
    draft.take(upkeep.grant_steps(policy, draft.table))
    draft.take(upkeep.row_steps(policy, draft.table, draft.today))
    draft.take(upkeep.parent_steps(policy, draft.table, server_version))


def _leftovers(policy: Policy, table: Table) -> list[Step]:
    names = tuple(leaf.name for leaf in table.staged if not leaf.awaited)
    return [ClearLeftovers(policy, names)] if names or table.interrupted else []


def _come_and_go(draft: _Draft, partner: Policy | None, beside: Table | None) -> None:
    policy, today = draft.policy, draft.today
    spans = [leaf.span for leaf in beside.leaves if leaf.span] if beside else []
    until = horizon(policy, today)
    # Leaves of the finer table must find those of the coarser one around them.
    if partner and coarser(policy.grain, partner.grain):
        until = max(until, horizon(partner, today))
    line = timeline(policy, draft.table, today, until=until, beside=spans)
    draft.problems += problems.of_timeline(policy, line)
    draft.take(AttachOrphan(policy, leaf) for leaf in line.back)
    draft.take(CreateLeaf(policy, span) for span in line.create)
    borders = [span.first for span in spans] if partner and coarser(partner.grain, policy.grain) else []
    changes = upkeep.grain_steps(policy, draft.table, today, line.bound, borders)
    draft.problems += [problems.of_regrain(step) for step in changes if upkeep.is_too_large(step)]
    draft.take(step for step in changes if not upkeep.is_too_large(step))
    # After the change: a smaller leaf may be past although the larger one was not.
    draft.take(_ends(policy, draft.table, line, today))
    draft.problems += problems.of_orphans(policy, draft.table, line, today)


def _ends(policy: Policy, table: Table, line: Timeline, today: date) -> list[Step]:
    """What becomes of leaves whose retention has passed, and of those that an interrupted run has detached already."""
    steps: list[Step] = []
    archived, gone = policy.at_end is AtEnd.ARCHIVE, policy.at_end in (AtEnd.ARCHIVE, AtEnd.DROP)
    for leaf in past_leaves(table, line.bound, today):
        # The archive first: if it fails, the leaf is still in its place.
        steps += [ArchiveLeaf(policy, leaf)] if archived else []
        steps.append(DetachLeaf(policy, leaf))
        steps += [DropLeaf(policy, leaf, archived)] if gone else []
    for orphan in table.orphans if gone else ():
        if problems.droppable(orphan, line, today):
            steps += [ArchiveLeaf(policy, orphan)] if archived else []
            steps.append(DropLeaf(policy, orphan, archived))
    return steps


def _coarsest_first(policies: Sequence[Policy]) -> list[Policy]:
    grains = list(type(policies[0].grain)) if policies else []
    return sorted(policies, key=lambda policy: -grains.index(policy.grain))
