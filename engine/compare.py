"""Source against warehouse: counts and sums by day, currency and status, computed from the files and from the fact."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from engine.discover import Discovery
from engine.feeds import TRANSACTIONS
from engine.intake import Doorkeeper, find, read_and_check
from engine.kept import Bench, keep, stored_forms
from engine.read import Reader
from engine.selection import decrypted
from engine.slices import Slice, collect_slices
from engine.summary import Summary
from warehouse.queries import query
from warehouse.snapshot import read_frame

KEYS = ["date_key", "currency_key", "status_key"]
SUMS = ["transactions", "amount_minor", "commission_minor"]


def compare(keeper: Doorkeeper, url: str, folder: Path, mapping: Path | None) -> pl.DataFrame:
    """Cells in which a folder and the warehouse differ; none if they agree on every day that the folder speaks of.

    Rows that went to quarantine count as the books have them: not at all while they are open, and once a replay has
    resolved them with the values with which they landed.

    Returns:
        `date_key`, `currency_code`, `status_code`, and each of `transactions`, `amount_minor`, `commission_minor` as
        `..._source` and `..._warehouse`.
    """
    with keeper.stopwatch.step(1):
        found = find(keeper, folder, mapping, Summary("compared"), known=set())
        discovery, readers = _as_booked(keeper, *found)
    intake = read_and_check(keeper, discovery, readers)
    source = _source_cells(intake.sifted.slices, intake.judged)
    stored = read_frame(url, query("compare/cells")).select(
        *(pl.col(name).cast(pl.Int64) for name in KEYS), *(pl.col(name).cast(pl.Int64) for name in SUMS)
    )
    stored = stored.join(source.select("date_key").unique(), on="date_key", how="semi")
    both = source.join(stored, on=KEYS, how="full", coalesce=True, suffix="_warehouse").fill_null(0)
    unequal = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_warehouse") for name in SUMS)
    names = read_frame(url, query("compare/names"))
    return (
        both.filter(unequal)
        .rename({name: f"{name}_source" for name in SUMS})
        .join(
            names.select(pl.col("currency_key", "status_key").cast(pl.Int64), "currency_code", "status_code"),
            on=["currency_key", "status_key"],
        )
        .drop("currency_key", "status_key")
        .sort("date_key", "currency_code", "status_code")
    )


def _as_booked(keeper: Doorkeeper, discovery: Discovery, readers: list[Reader]) -> tuple[Discovery, list[Reader]]:
    """The readers without the rows that are, or were, in quarantine; and one more for each file that some landed of."""
    left_out: dict[tuple[str, str, str], set[int]] = {file.identity: set() for file in discovery.files}
    landed = []
    hashes = [file.content_hash for file in discovery.files]
    values = {"feed": TRANSACTIONS.name, "hashes": hashes}
    for row in decrypted(keeper.connection, keeper.keyring, query("quarantine/of_files"), values):
        if row.file in left_out:
            left_out[row.file].add(row.row_number)
            if row.values is not None and row.form_id is not None:
                landed.append(row)
    still_there = sum(map(len, left_out.values())) - len(landed)
    if still_there:
        keeper.watcher.say(f"{still_there:,} row(s) of these files are in quarantine and are left out")
    bench = Bench(stored_forms(keeper.connection), keeper.keyring)
    kept = keep(landed, bench, first_number=len(discovery.files))
    pruned = [replace(reader, left_out=frozenset(left_out[reader.file.identity])) for reader in readers]
    files = (*discovery.files, *(one.file for one in kept))
    return replace(discovery, files=files), [*pruned, *(one.reader for one in kept)]


def _source_cells(slices: list[Slice], judged: pl.DataFrame) -> pl.DataFrame:
    if not slices:
        return pl.DataFrame(schema=dict.fromkeys((*KEYS, *SUMS), pl.Int64))
    losers = judged.filter(~pl.col("wins"))["seq"].implode()
    sums = pl.len().alias("transactions"), pl.col("amount_minor", "commission_minor").sum()
    parts = collect_slices(slices, lambda rows: rows.filter(~pl.col("seq").is_in(losers)).group_by(KEYS).agg(*sums))
    return parts.group_by(KEYS).agg(pl.col(SUMS).sum()).select(pl.col(*KEYS, *SUMS).cast(pl.Int64))
