"""Steps 1 and 2: the headings of a file, and which canonical columns they become."""

import difflib
from collections.abc import Iterable

import polars as pl

from engine.discover import SourceFile
from engine.feeds import FEEDS, Feed, canonical_name
from engine.fields import EXTRA, ROW_NUMBER
from engine.mapping import column_expression
from engine.tables import has_text_form
from warehouse.errors import SourceError


def free_headings(headings: Iterable[str]) -> tuple[str, ...]:
    """Headings, none of which is the name of a column that the reader itself adds."""
    return tuple(f"{name}_" if name in (EXTRA, ROW_NUMBER) else name for name in headings)


def check_types(file: SourceFile, types: dict[str, pl.DataType], unused: tuple[str, ...]) -> None:
    """Refuse a table whose columns, but for unused ones, are not single values.

    Raises:
        SourceError: some are not.
    """
    wrong = [f"{name!r} ({dtype})" for name, dtype in types.items() if name not in unused and not has_text_form(dtype)]
    if wrong:
        raise SourceError(
            f"{file.name}: a field must be one value, but that is not the type of {', '.join(wrong)}",
            remedy="export single values, or map another column in feeds.toml",
        )


def canonical_columns(file: SourceFile, headings: tuple[str, ...]) -> dict[str, pl.Expr]:
    """Canonical column -> expression over the headings."""
    mapped = {name: column_expression(value, where=f"column {name}") for name, value in file.source.columns.items()}
    for heading in headings:
        name = canonical_name(heading)
        if name in file.feed.names and name not in mapped:
            mapped[name] = pl.col(heading)
    return mapped


def unused_headings(file: SourceFile, headings: tuple[str, ...]) -> tuple[str, ...]:
    """Headings of which no canonical column is made.

    Raises:
        SourceError: the mapping uses a heading that is not there, or a column that the feed needs is missing.
    """
    mapped = canonical_columns(file, headings)
    used = {root for expression in mapped.values() for root in expression.meta.root_names()}
    unknown = sorted(used - set(headings) - {ROW_NUMBER})
    if unknown:
        raise SourceError(
            f"{file.name}: the mapping uses {', '.join(map(repr, unknown))}, which its header has not",
            remedy=f"the header is {', '.join(headings)}",
        )
    missing = [name for name in file.feed.required if name not in mapped]
    unused = tuple(heading for heading in headings if heading not in used)
    if missing:
        raise SourceError(
            f"{file.name}: missing {', '.join(missing)} for feed {file.feed.name}; found {', '.join(headings)}",
            remedy=_hint(file.feed, headings, missing, unused),
            missing=missing,
        )
    return unused


def _hint(feed: Feed, headings: tuple[str, ...], missing: list[str], unused: tuple[str, ...]) -> str:
    names = {canonical_name(heading) for heading in headings}
    for other in FEEDS.values():
        if other.name != feed.name and set(other.required) <= names:
            return (
                f"this looks like the feed {other.name}: rename the file to {other.name}_..., or map it in feeds.toml"
            )
    for heading in unused:
        close = difflib.get_close_matches(canonical_name(heading), missing, n=1)
        if close:
            return f"is {heading!r} perhaps {close[0]}? Map it in feeds.toml: [source.columns] {close[0]} = {heading!r}"
    return "map the columns in a feeds.toml beside the files; docs/feeds.md shows how"
