"""Named SQL: `query("ledger/open_run")` is the text of `schema/queries/ledger/open_run.sql`."""

from functools import cache
from pathlib import Path
from typing import LiteralString

SCHEMA_FOLDER = Path(__file__).resolve().parent.parent / "schema"


@cache
def query(name: str) -> LiteralString:
    """Text of a named query.

    Raises:
        FileNotFoundError: no query has that name.
    """
    # Files of the checkout are as trustworthy as literals in its code.
    return (SCHEMA_FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def query_names() -> list[str]:
    """Names of all queries, sorted."""
    folder = SCHEMA_FOLDER / "queries"
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.sql"))
