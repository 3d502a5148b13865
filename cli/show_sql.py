"""`cauri sql`."""

from typing import Annotated

import typer

from cli.console import stdout
from warehouse.errors import ConfigurationError
from warehouse.migrations import bootstrap_sql, scripts
from warehouse.queries import query, query_names


def sql(
    name: Annotated[
        str | None, typer.Argument(help="A script or query; without it the whole schema is printed.")
    ] = None,
    list_names: Annotated[bool, typer.Option("--list", help="Only the names.")] = False,
) -> None:
    """Print SQL without connecting: the whole schema, or one named script or query."""
    texts = {"bootstrap": bootstrap_sql(), **{script.name: script.text for script in scripts()}}
    queries = {known: query(known) for known in query_names()}
    if list_names:
        print_text("\n".join([*texts, *queries]))
    elif name is None:
        print_text("\n".join(f"-- {known}\n{text}" for known, text in texts.items()))
    elif name in texts or name in queries:
        print_text((texts | queries)[name])
    else:
        raise ConfigurationError(f"there is no SQL named {name!r}", remedy="cauri sql --list shows the names")


def print_text(text: str) -> None:
    """Print without markup or wrapping, so that it can be piped."""
    stdout.print(text, markup=False, soft_wrap=True)
