"""`cauri partitions archive` and `cauri partitions archives`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import print_json, stderr, stdout, table
from cli.context import Context, open_warehouse
from cli.options import Json, TableName
from cli.partitions_names import leaf_named, policy_named
from partitions.archive import archive_leaf, drop_archived
from partitions.archive_ledger import entries
from partitions.catalog import Leaf, read_catalog
from partitions.detach import detach_leaf
from partitions.manifest import Archive, damage
from partitions.policy import Policy, partner_of
from warehouse.connection import Connection, connect
from warehouse.lock import single_writer

MIB = 1024 * 1024


def archive(
    table_name: TableName,
    leaves: Annotated[list[str], typer.Argument(metavar="LEAF...", help="Names of leaves, or their days: 2024-01.")],
    drop: Annotated[
        bool,
        typer.Option(
            "--drop", envvar="CAURI_ARCHIVE_DROP", help="Then detach each, compare it once more, and drop it."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Write leaves to Parquet files and prove that the files hold them. Without --drop the leaves stay."""
    context = open_warehouse()
    policy = policy_named(context.policies, table_name)
    with single_writer(context.url), connect(context.url) as connection:
        named = [leaf_named(connection, policy, name, context.settings.business_timezone) for name in leaves]
        # By name: what the catalog says of a leaf's size may have changed between two looks at it.
        found = list({leaf.name: leaf for leaf in named}.values())
        done = [_archive(connection, context, policy, leaf, drop=drop) for leaf in found]
        said = _left_beside(connection, context, policy, found) if drop else []
    for line in said:
        stderr.print(f"  {line}", style="dim", soft_wrap=True)
    if json:
        print_json({"status": "done", "archived": done, "notes": said})
        return
    for one in done:
        kept = "was archived before" if one["kept"] else "archived"
        gone = ", dropped" if drop else ""
        stdout.print(f"{one['leaf']}: {kept}{gone}, {one['rows']:,} rows, {_mib(one['bytes'])} MiB, {one['path']}")


def _archive(connection: Connection, context: Context, policy: Policy, leaf: Leaf, *, drop: bool) -> dict[str, Any]:
    folder = context.settings.archive_path
    result = archive_leaf(connection, policy, leaf, folder)
    made = result.archive
    if drop:
        detach_leaf(connection, policy, leaf)
        made = drop_archived(connection, policy, leaf, folder)
    return {**_described(made, folder), "kept": result.kept, "dropped": drop}


def _left_beside(connection: Connection, context: Context, policy: Policy, gone: list[Leaf]) -> list[str]:
    """What to say of leaves that a load fills together with those that went."""
    other = partner_of(policy, context.policies)
    if other is None:
        return []
    table = read_catalog(connection, [other], context.settings.business_timezone).tables[other.name]
    spans = [leaf.span for leaf in gone if leaf.span]
    left = [leaf.name for leaf in table.leaves if leaf.span and any(leaf.span.overlaps(span) for span in spans)]
    return [f"{other.name} still has {', '.join(left)} for these days: archive and drop that, too"] if left else []


def archives(
    table_name: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Only this table, with or without its schema.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", envvar="CAURI_ARCHIVE_VERIFY", help="Read each file and compare it; exit 1 if not sound."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """List what was archived: the files, what became of their leaves and, with --verify, whether they are sound."""
    context = open_warehouse()
    folder = context.settings.archive_path
    policy = policy_named(context.policies, table_name) if table_name else None
    with connect(context.url) as connection:
        found = entries(connection, policy.name if policy else None)
    listed = [{**_described(entry.archive, folder), "state": entry.state} for entry in found]
    if verify:
        for entry, line in zip(found, listed, strict=True):
            line["damage"] = damage(folder, entry.archive)
    if json:
        print_json({"archives": listed})
    elif listed:
        _show(listed)
    else:
        stdout.print("Nothing was archived. Next: cauri partitions archive TABLE LEAF.")
    if any(line.get("damage") for line in listed):
        raise typer.Exit(1)


def _described(made: Archive, folder: Path) -> dict[str, Any]:
    return {
        "table": made.table,
        "leaf": made.leaf,
        "days": str(made.span),
        "rows": made.contents.rows,
        "bytes": made.bytes,
        "archived_at": made.archived_at.isoformat(),
        "path": str(folder / made.file),
    }


def _show(listed: list[dict[str, Any]]) -> None:
    shown = table("Archives", "state", "archived", "rows", "MiB", "file")
    for column in shown.columns[2:4]:
        column.justify = "right"
    files = [Path(line["path"]).name for line in listed]
    # Whole, however narrow the terminal: restore --file wants it.
    shown.columns[4].min_width = max(map(len, files))
    for file, line in zip(files, listed, strict=True):
        day = line["archived_at"][:10]
        shown.add_row(line["state"], day, f"{line['rows']:,}", _mib(line["bytes"]), file)
    stdout.print(shown)
    for line in listed:
        if line.get("damage"):
            stdout.print(f"damaged: {line['damage']}", markup=False)


def _mib(size: int) -> str:
    return f"{size / MIB:,.1f}"
