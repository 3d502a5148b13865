"""Tables and leaves as a person types them; what is not found comes with a hint."""

from collections.abc import Sequence
from difflib import get_close_matches

from partitions.catalog import Leaf, read_catalog
from partitions.policy import Policy
from warehouse.connection import Connection
from warehouse.errors import ConfigurationError


def policy_named(policies: Sequence[Policy], name: str) -> Policy:
    """The policy of a table, with or without its schema.

    Raises:
        ConfigurationError: no policy has such a table.
    """
    found = [policy for policy in policies if name in (policy.name, policy.table)]
    if len(found) == 1:
        return found[0]
    raise _not_found(f"no policy has a table {name}", name, [policy.name for policy in policies])


def leaf_named(connection: Connection, policy: Policy, name: str, timezone: str) -> Leaf:
    """A leaf by its name or its days (2024-01), attached or detached.

    Raises:
        ConfigurationError: there is no such leaf.
    """
    table = read_catalog(connection, [policy], timezone).tables[policy.name]
    leaves = [*table.leaves, *table.orphans]
    found = [leaf for leaf in leaves if name in (leaf.name, leaf.qualified, str(leaf.span))]
    if found:
        return found[0]
    raise _not_found(
        f"{policy.name} has no leaf {name}", name, [form for leaf in leaves for form in (leaf.name, str(leaf.span))]
    )


def _not_found(message: str, name: str, known: list[str]) -> ConfigurationError:
    near = get_close_matches(name, known, n=3, cutoff=0.75) or get_close_matches(name, known, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known[-4:]) or 'none'}"
    return ConfigurationError(message, remedy=hint)
