"""Which leaves are to be replaced by others, where a policy wants all of them to have its grain."""

from collections.abc import Iterator, Sequence
from datetime import date

from partitions.catalog import Leaf, Table
from partitions.exchanges import MOST_LEAVES
from partitions.grain import Span
from partitions.policy import Policy
from partitions.steps.reshape import ChangeGrain
from partitions.timeline import is_past, may_go


def regrain_steps(
    policy: Policy, table: Table, today: date, bound: date | None, borders: Sequence[date]
) -> list[ChangeGrain]:
    """Steps after which each leaf that stays is a unit of the grain, cut at `borders` and at gaps."""
    if not policy.regrain:
        return []
    changeable = {leaf.name for leaf in table.leaves if may_go(leaf, today) and not is_past(leaf.span, bound)}
    return [step for run in _runs(table.leaves, changeable) for step in _changes(policy, run, borders)]


def is_too_large(step: ChangeGrain) -> bool:
    """Whether so many leaves would have to come at once that readers would feel it."""
    return len(step.spans) > MOST_LEAVES


def _runs(leaves: Sequence[Leaf], names: set[str]) -> Iterator[list[tuple[Leaf, Span]]]:
    """Leaves of these names without a gap between them."""
    run: list[tuple[Leaf, Span]] = []
    for leaf in leaves:
        changeable = leaf.span if leaf.name in names else None
        if run and (changeable is None or run[-1][1].end != changeable.first):
            yield run
            run = []
        if changeable is not None:
            run.append((leaf, changeable))
    if run:
        yield run


def _changes(policy: Policy, run: list[tuple[Leaf, Span]], borders: Sequence[date]) -> Iterator[ChangeGrain]:
    """Between two cuts that are both there and wanted, leaves and units are exchanged."""
    first, end = run[0][1].first, run[-1][1].end
    units = {unit.first for unit in policy.grain.spans(first, end)} | set(borders)
    wanted = sorted({first, end} | {day for day in units if first < day < end})
    common = sorted(set(wanted) & {span.first for _, span in run} | {end})
    leaf, cut = 0, 0
    for border in common[1:]:
        leaf_end, cut_end = leaf, cut
        while leaf_end < len(run) and run[leaf_end][1].first < border:
            leaf_end += 1
        while wanted[cut_end] < border:
            cut_end += 1
        spans = tuple(Span(wanted[place], wanted[place + 1]) for place in range(cut, cut_end))
        if spans != tuple(span for _, span in run[leaf:leaf_end]):
            yield ChangeGrain(policy, tuple(one for one, _ in run[leaf:leaf_end]), spans)
        leaf, cut = leaf_end, cut_end
