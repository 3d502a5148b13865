"""Folders of feeds to load: a sample, in one file, in a file a month, or scattered over files that know no months."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from bench.sizes import spoken
from sample.generate import generate
from sample.plan import SamplePlan, add_months

Layout = Literal["months", "one", "scattered"]
FILES = 24
END = date(2026, 1, 1)


@dataclass(frozen=True)
class Source:
    """What to load. In `months` each file holds one month; `scattered` deals the rows out to as many files in turns."""

    rows: int
    format: Literal["csv", "parquet"] = "csv"
    layout: Layout = "months"
    dirty: float = 0.0
    months: int = FILES
    clients: int | None = None

    def __post_init__(self) -> None:
        if self.dirty and self.layout != "months":
            raise ValueError("bad rows have line breaks within quotes: they can be dealt out by months only")

    def __str__(self) -> str:
        months = "" if self.months == FILES else f"-{self.months}-months"
        clients = "" if self.clients is None else f"-{spoken(self.clients)}-clients"
        return f"{self.format}-{self.layout}-{self.dirty * 100:g}%{months}{clients}"

    def folder(self, parent: Path) -> Path:
        """The files, written if they are not there yet."""
        folder = parent / "sources" / f"{spoken(self.rows)}-{self}"
        if not (folder / "truth.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            if self.layout == "months":
                generate(self.plan, folder)
            else:
                self._rearrange(Source(self.rows, self.format, "months", self.dirty).folder(parent), folder)
        return folder

    @property
    def plan(self) -> SamplePlan:
        return SamplePlan(
            self.rows,
            # However many months: none of them lies ahead, for rows from there are refused.
            start=add_months(END, -self.months),
            months=self.months,
            clients=self.clients,
            dirty_share=self.dirty,
            format=self.format,
        )

    def _rearrange(self, months: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        for path in months.iterdir():
            if not path.name.startswith("transactions_") and path.name != "truth.json":
                shutil.copyfile(path, folder / path.name)
        paths = sorted(months.glob("transactions_*"))
        targets = [folder / f"transactions_{number:02}.{self.format}" for number in range(self._files)]
        (_deal_lines if self.format == "csv" else _deal_rows)(paths, targets)
        # Last: a folder that has it is complete.
        shutil.copyfile(months / "truth.json", folder / "truth.json")

    @property
    def _files(self) -> int:
        return 1 if self.layout == "one" else FILES


def _deal_lines(paths: list[Path], targets: list[Path]) -> None:
    # A sample without bad rows has no line break within quotes.
    for number, path in enumerate(paths):
        heading, *lines = path.read_bytes().splitlines(keepends=True)
        for place, target in enumerate(targets):
            with target.open("ab") as file:
                file.writelines([heading] if number == 0 else [])
                file.writelines(lines[place :: len(targets)])


def _deal_rows(paths: list[Path], targets: list[Path]) -> None:
    for place, target in enumerate(targets):
        pl.concat(_every(paths, len(targets), place), how="vertical").write_parquet(target)


def _every(paths: list[Path], step: int, place: int) -> Iterator[pl.DataFrame]:
    return (pl.read_parquet(path).gather_every(step, place) for path in paths)
