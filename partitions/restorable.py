"""Which archives bring a leaf back, and which other leaf belongs beside it."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from partitions.archive_ledger import Entry, entries
from partitions.catalog import read_catalog
from partitions.policy import Policy, partner_of
from partitions.restore import Wanted
from warehouse.connection import Connection
from warehouse.errors import ConfigurationError


def restorable(connection: Connection, policy: Policy, leaf: str, folder: Path, file: str | None = None) -> Wanted:
    """The archives of a leaf, named by its name or its days (2024-01), that are not superseded; or one file of it.

    There are several where rows came late for a leaf that was dropped: it was made anew, and archived again.

    Raises:
        ConfigurationError: the ledger knows no such archive.
    """
    known = entries(connection, policy.name)
    of_leaf = [entry for entry in known if leaf in (entry.archive.leaf, str(entry.archive.span))]
    chosen = [entry for entry in of_leaf if (entry.state != "superseded" if file is None else _is_file(entry, file))]
    if not chosen:
        raise _unknown(policy, leaf, folder, file, of_leaf or known)
    return Wanted(policy, tuple(entry.archive for entry in chosen))


def companion(
    connection: Connection, policies: Sequence[Policy], wanted: Wanted, folder: Path, timezone: str
) -> tuple[Wanted | None, str | None]:
    """The archives of the table that is loaded together with this one, for the same days, if it has no leaf for them.

    Or what is to be said if it has neither a leaf nor an archive.
    """
    policy = partner_of(wanted.policy, policies)
    if policy is None or _has_days(connection, policy, wanted, timezone):
        return None, None
    try:
        return restorable(connection, policy, wanted.span.leaf_of(policy.name), folder), None
    except ConfigurationError:
        return None, (
            f"{policy.name} has neither a leaf nor an archive for {wanted.span}, although it is loaded together"
            f" with {wanted.policy.name}: cauri partitions apply makes an empty leaf"
        )


def _has_days(connection: Connection, policy: Policy, wanted: Wanted, timezone: str) -> bool:
    leaves = read_catalog(connection, [policy], timezone).tables[policy.name].leaves
    return any(leaf.span is not None and leaf.span.overlaps(wanted.span) for leaf in leaves)


def _is_file(entry: Entry, file: str) -> bool:
    return file in (entry.archive.file, Path(entry.archive.file).name)


def _unknown(policy: Policy, leaf: str, folder: Path, file: str | None, known: Sequence[Entry]) -> ConfigurationError:
    if file is not None:
        names = [Path(entry.archive.file).name for entry in known]
        what = f"this warehouse has no archive {file} of {leaf}"
        if (folder / policy.name / Path(file).name).exists():
            what += ", although the file is there: another warehouse wrote it, and its keys mean nothing here"
    else:
        names = [entry.archive.leaf for entry in known]
        what = f"this warehouse has no archive of a leaf {leaf} of {policy.name}"
    near = get_close_matches(file or leaf, names, n=3) or list(dict.fromkeys(names))[:3]
    hint = f"known are {', '.join(near)}; cauri partitions archives lists them" if near else "nothing was archived yet"
    return ConfigurationError(what, remedy=hint)
