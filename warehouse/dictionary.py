"""The data dictionary: the comments in the database as a page. `python -m warehouse.dictionary` writes it anew."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from warehouse.binaries import find_binaries
from warehouse.connection import Connection, connect
from warehouse.migrations import migrate
from warehouse.queries import query
from warehouse.server import LocalServer
from warehouse.settings import read_settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data-dictionary.md"

_HEAD = """# Data dictionary

Made by `uv run just dictionary` from the comments in the database; a test fails when the two differ. To change a text,
change its `COMMENT` in `schema/`.
"""


@dataclass(frozen=True)
class CatalogRow:
    """A column as PostgreSQL's catalogs describe it; a schema without relations has one row without a relation."""

    schema: str
    schema_comment: str | None
    relation: str | None
    kind: str | None
    relation_comment: str | None
    name: str | None
    type: str | None
    nullable: bool | None
    comment: str | None


def read_catalog(connection: Connection) -> list[CatalogRow]:
    """All columns of the warehouse, by schema and relation."""
    return [CatalogRow(*row) for row in connection.execute(query("dictionary/columns")).fetchall()]


def dictionary(rows: Iterable[CatalogRow]) -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_schemas(rows)]).rstrip() + "\n"


def _schemas(rows: Iterable[CatalogRow]) -> Iterator[str]:
    for (schema, comment), columns in groupby(rows, lambda row: (row.schema, row.schema_comment)):
        yield f"## {schema}\n\n{comment or ''}\n"
        yield from _relations(columns)


def _relations(rows: Iterable[CatalogRow]) -> Iterator[str]:
    for (relation, kind, comment), columns in groupby(rows, lambda row: (row.relation, row.kind, row.relation_comment)):
        if relation is None:
            continue
        listed = list(columns)
        yield f"### {listed[0].schema}.{relation} ({kind})\n\n{comment or ''}\n"
        yield "\n".join(_table(listed, views=kind in ("view", "materialized view"))) + "\n"


def _table(columns: list[CatalogRow], *, views: bool) -> Iterator[str]:
    # PostgreSQL does not say of a view's column whether it can be null.
    yield "| column | type | meaning |" if views else "| column | type | null | meaning |"
    yield "|---|---|---|" if views else "|---|---|---|---|"
    for column in columns:
        null = "" if views else f" {'yes' if column.nullable else ''} |"
        yield f"| `{column.name}` | {column.type} |{null} {_cell(column.comment)} |"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Migrate a throw-away database and write the page from it."""
    with tempfile.TemporaryDirectory(prefix="cauri-dictionary-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the server's account passes through; its own folder below is private
        server = LocalServer(home, find_binaries(read_settings()), throwaway=True)
        url = server.start()
        try:
            migrate(url)
            with connect(url) as connection:
                PAGE.write_text(dictionary(read_catalog(connection)), encoding="utf-8")
        finally:
            server.stop()
    sys.stdout.write(f"Wrote {PAGE}.\n")


if __name__ == "__main__":
    main()
