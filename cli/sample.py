"""`cauri sample`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json, stderr, stdout
from cli.options import Json
from sample.generate import generate
from sample.plan import SamplePlan
from sample.truth import Truth
from warehouse.errors import ConfigurationError


class Dialect(StrEnum):
    """How the files are written."""

    ISO = "iso"
    FRENCH = "french"
    MIXED = "mixed"


class Format(StrEnum):
    """Container of the transactions."""

    CSV = "csv"
    PARQUET = "parquet"


class Compression(StrEnum):
    """Compression of the transactions."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


def sample(
    rows: Annotated[
        int, typer.Option(envvar="CAURI_SAMPLE_ROWS", min=1, help="Transaction rows to write.")
    ] = 1_000_000,
    out: Annotated[Path, typer.Option(envvar="CAURI_SAMPLE_OUT", help="Directory to make.")] = Path("sample-data"),
    seed: Annotated[int, typer.Option(envvar="CAURI_SAMPLE_SEED", help="Same seed, same bytes.")] = 1,
    dialect: Annotated[Dialect, typer.Option(envvar="CAURI_SAMPLE_DIALECT")] = Dialect.ISO,
    file_format: Annotated[Format, typer.Option("--format", envvar="CAURI_SAMPLE_FORMAT")] = Format.CSV,
    compression: Annotated[Compression, typer.Option(envvar="CAURI_SAMPLE_COMPRESSION")] = Compression.NONE,
    months: Annotated[int, typer.Option(envvar="CAURI_SAMPLE_MONTHS", min=1, help="Months, from January 2024.")] = 24,
    dirty: Annotated[
        float, typer.Option(envvar="CAURI_SAMPLE_DIRTY", min=0, max=0.4, help="Share of bad rows.")
    ] = 0.002,
    json: Json = False,
) -> None:
    """Write invented but lifelike feeds, and beside them truth.json: what a load of them must find."""
    plan = SamplePlan(
        rows=rows,
        seed=seed,
        dialect=dialect.value,
        format=file_format.value,
        compression=compression.value,
        months=months,
        dirty_share=dirty,
    )
    truth = write_sample(plan, out)
    if json:
        print_json({"status": "done", "directory": str(out), "feeds": truth.as_json()["feeds"]})
        return
    stdout.print(f"Wrote {rows:,} transactions to {out}; {out / 'truth.json'} says what a load must find.")
    stdout.print(f"Next: cauri load {out}")


def write_sample(plan: SamplePlan, out: Path) -> Truth:
    """Write a sample, telling a person how far it is."""
    with stderr.status(f"Writing {plan.rows:,} sample transactions to {out}") as spinner:
        try:
            return generate(
                plan, out, on_month=lambda month, _: spinner.update(f"Writing sample transactions of {month:%B %Y}")
            )
        except ValueError as exc:
            raise ConfigurationError(str(exc), remedy="see cauri sample --help") from None
