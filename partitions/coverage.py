"""Which days have leaves, as a load wants to know it: attached, premade, or built and waiting in `staging`."""

from collections.abc import Sequence

from partitions.bounds import span_of_bounds
from partitions.grain import Span, span_named
from partitions.policy import Policy
from warehouse.connection import Connection
from warehouse.queries import query

# Both tables that a load fills are cut by `date_key`, whatever their policies say besides.
_BY_DATE_KEY = Policy.model_validate({"schema": "dwh", "table": "fact_transactions", "key": "date_key"})


def attached_spans(connection: Connection, table: str = "dwh.fact_transactions") -> set[Span]:
    """Days for which a table by `date_key` has leaves, whatever their names."""
    rows = connection.execute(query("partitions/attached_leaves"), (table,)).fetchall()
    spans = (span_of_bounds(_BY_DATE_KEY, bounds, "UTC") for (bounds,) in rows)
    return {span for span in spans if span is not None}


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


def built_spans(connection: Connection) -> set[Span]:
    """Days whose leaves stand complete in `staging`, ready to be attached."""
    rows = connection.execute(query("partitions/staged_tables")).fetchall()
    spans = (span_named(name, "fact_transactions") for (name,) in rows)
    return {span for span in spans if span is not None}
