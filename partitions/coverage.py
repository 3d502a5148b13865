"""Which days have leaves, as a load wants to know it: attached, premade, or built and waiting in `staging`."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from partitions.bounds import span_of_bounds
from partitions.grain import Span, span_named
from partitions.policy import Policy
from warehouse.connection import Connection, sql
from warehouse.queries import query

# Both tables that a load fills are cut by `date_key`, whatever their policies say besides.
_BY_DATE_KEY = Policy.model_validate({"schema": "dwh", "table": "fact_transactions", "key": "date_key"})


def attached_leaves(connection: Connection, table: str) -> dict[Span, sql.Identifier]:
    """The leaves that a table by `date_key` has, by their days."""
    rows = connection.execute(query("partitions/attached_leaves"), (table,)).fetchall()
    leaves = ((span_of_bounds(_BY_DATE_KEY, bounds, "UTC"), sql.Identifier(*names)) for bounds, *names in rows)
    return {span: leaf for span, leaf in leaves if span is not None}


def attached_spans(connection: Connection, table: str = "dwh.fact_transactions") -> set[Span]:
    """Days for which a table by `date_key` has leaves, whatever their names."""
    return set(attached_leaves(connection, table))


def days_by_leaf(
    connection: Connection, days: Iterable[int], table: str = "dwh.fact_transactions"
) -> list[tuple[Span | None, list[int]]]:
    """Days (`date_key`) by the leaves that a table by `date_key` has for them, in order; `None` has those without one.

    A statement that names such days is planned for their leaf, and opens no other.
    """
    spans = sorted(attached_spans(connection, table))
    begins = [span.first_key for span in spans]
    groups: dict[Span | None, list[int]] = defaultdict(list)
    for day in sorted(days):
        place = bisect_right(begins, day) - 1
        groups[spans[place] if place >= 0 and day < spans[place].end_key else None].append(day)
    return sorted(groups.items(), key=lambda group: group[1])


def premade_spans(connection: Connection, policies: Sequence[Policy]) -> set[Span]:
    """Days for which each of the tables has a leaf that never had rows: another may take its place."""
    return set.intersection(*(_premade(connection, policy) for policy in policies))


def _premade(connection: Connection, policy: Policy) -> set[Span]:
    rows = connection.execute(query("partitions/premade_leaves"), (policy.name,)).fetchall()
    spans = ((span_of_bounds(_BY_DATE_KEY, bounds, "UTC"), name) for bounds, name in rows)
    return {span for span, name in spans if span is not None and span.leaf_of(policy.name) == name}


def filled_spans(connection: Connection, policies: Sequence[Policy]) -> set[Span]:
    """Days of leaves of the first table whose rows have to be merged with."""
    return attached_spans(connection, policies[0].name) - premade_spans(connection, policies)


def built_spans(connection: Connection, table: str = "dwh.fact_transactions") -> set[Span]:
    """Days whose leaves of a table stand complete in `staging`."""
    rows = connection.execute(query("partitions/staged_tables")).fetchall()
    spans = (span_named(name, table) for (name,) in rows)
    return {span for span in spans if span is not None}
