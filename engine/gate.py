"""The gate between steps 3 and 4: a batch that is not what was expected is not published."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from engine.expectations import MAX_ROWS, MIN_ROWS, SHARE, Bounds, Expectations, check_names, name_of
from engine.intake import Intake
from engine.outcomes import Outcomes, total
from engine.shards import FILE_SHIFT
from engine.slices import collect_slices
from warehouse.errors import ConfigurationError, DataRefusedError

# Of fewer rows, a few bad ones are a large share; what is declared for a feed holds for any number.
ROWS_OF_DEFAULT = 100

REASONS_NAMED = 3


@dataclass(frozen=True)
class Breach:
    """An expectation that a feed (or a file, `of`) does not meet. `found`, `limit`: rows, a share, or a sum."""

    expectation: str
    of: str
    found: Decimal
    limit: Decimal
    text: str
    accepted: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "expectation": self.expectation,
            "of": self.of,
            "found": float(self.found),
            "limit": float(self.limit),
            "accepted": self.accepted,
            "message": str(self),
        }

    def __str__(self) -> str:
        return f"{self.of}: {self.text}"


@dataclass(frozen=True)
class Gate:
    """What is expected by default (a share of refused rows, 0 to 1), and which breaches are accepted this once."""

    default_share: float = 1.0
    accept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_names(self.accept)

    def judge(self, intake: Intake) -> list[Breach]:
        """What the batch does not meet: first of feeds, all files of the run together, then of single files.

        Raises:
            ConfigurationError: a sum is expected in a currency that there is not.
        """
        sums = Sums(intake)
        found: list[Breach] = []
        for feed in dict.fromkeys(file.feed for file in intake.files):
            numbers = [file.number for file in intake.files if file.feed is feed]
            counts = total(intake.sifted.outcomes[number] for number in numbers)
            expected = intake.discovery.expectations.get(feed.name, Expectations())
            batch = _Batch(feed.name, feed.name, counts, sums, frozenset(numbers), self.accept)
            found += [*batch.breaches(expected), *self._by_default(batch, expected)]
        for file in intake.files:
            counts = intake.sifted.outcomes[file.number]
            batch = _Batch(file.feed.name, file.name, counts, sums, frozenset([file.number]), self.accept)
            found += batch.breaches(file.source.expectations)
        return found

    def _by_default(self, batch: "_Batch", expected: Expectations) -> Iterator[Breach]:
        if expected.max_rejected_share is None and batch.counts.read >= ROWS_OF_DEFAULT:
            yield from batch.share(Decimal(str(self.default_share)))


class Sums:
    """Sums of the accepted transactions of a run; computed when one is first asked for."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @property
    def exponents(self) -> dict[str, int]:
        currencies = self._intake.sieve.domains.currencies
        return dict(currencies.select("currency", "exponent").iter_rows())

    @cached_property
    def _by_file(self) -> Mapping[tuple[int, str, str], int]:
        codes = dict(self._intake.sieve.domains.currencies.select("currency_key", "currency").iter_rows())
        columns = ("amount_minor", "commission_minor")
        parts = collect_slices(
            self._intake.sifted.slices,
            lambda rows: rows.group_by(pl.col("seq") // (1 << FILE_SHIFT), "currency_key").agg(
                # Polars adds 64-bit integers in 64 bits, and wraps.
                pl.col(columns).cast(pl.Int128).sum()
            ),
        )
        found: Counter[tuple[int, str, str]] = Counter()
        for file, key, *sums in parts.iter_rows():
            for column, value in zip(columns, sums, strict=True):
                found[file, column, codes[key]] += int(value)
        return found

    def of(self, files: frozenset[int], column: str, currency: str) -> Decimal:
        """Sum of a column over some files, in units of the currency.

        Raises:
            ConfigurationError: there is no such currency.
        """
        if currency not in self.exponents:
            raise ConfigurationError(
                f"a sum of {column} is expected in {currency}, which dwh.dim_currency has not",
                remedy=f"correct it in the mapping file; there are {', '.join(sorted(self.exponents))}",
            )
        minor = sum(self._by_file.get((file, f"{column}_minor", currency), 0) for file in files)
        return Decimal(minor).scaleb(-self.exponents[currency])


@dataclass(frozen=True)
class _Batch:
    """Rows that are judged together."""

    feed: str
    of: str
    counts: Outcomes
    sums: Sums
    files: frozenset[int]
    accept: tuple[str, ...]

    def _breach(self, name: str, found: Decimal, limit: Decimal, text: str) -> Breach:
        return Breach(name, self.of, found, limit, text, accepted=name in self.accept)

    def breaches(self, expected: Expectations) -> Iterator[Breach]:
        if expected.max_rejected_share is not None:
            yield from self.share(expected.max_rejected_share)
        rows = self.counts.read
        if expected.min_rows is not None and rows < expected.min_rows:
            text = f"{rows:,} rows, expected are at least {expected.min_rows:,}: {expected.min_rows - rows:,} too few"
            yield self._breach(name_of(self.feed, MIN_ROWS), Decimal(rows), Decimal(expected.min_rows), text)
        if expected.max_rows is not None and rows > expected.max_rows:
            text = f"{rows:,} rows, expected are at most {expected.max_rows:,}: {rows - expected.max_rows:,} too many"
            yield self._breach(name_of(self.feed, MAX_ROWS), Decimal(rows), Decimal(expected.max_rows), text)
        for (column, currency), bounds in expected.sums.items():
            yield from self._sum(column, currency, bounds)

    def share(self, most: Decimal) -> Iterator[Breach]:
        rows, refused = self.counts.read, self.counts.rejected
        if refused <= most * rows:
            return
        often = sorted(self.counts.reasons.items(), key=lambda item: (-item[1], item[0]))[:REASONS_NAMED]
        reasons = ", ".join(f"{reason} ({number:,})" for reason, number in often)
        text = (
            f"{refused:,} of {rows:,} rows refused ({refused / rows:.2%}), acceptable are {most:.2%}: "
            f"{refused - int(most * rows):,} too many; most often {reasons}"
        )
        yield self._breach(name_of(self.feed, SHARE), Decimal(refused) / rows, most, text)

    def _sum(self, column: str, currency: str, bounds: Bounds) -> Iterator[Breach]:
        found = self.sums.of(self.files, column, currency)
        name, what = name_of(self.feed, column, currency), f"{column} of {found:,} {currency}"
        if bounds.lowest is not None and found < bounds.lowest:
            text = f"{what}, expected are at least {bounds.lowest:,}: {bounds.lowest - found:,} too little"
            yield self._breach(name, found, bounds.lowest, text)
        if bounds.highest is not None and found > bounds.highest:
            text = f"{what}, expected are at most {bounds.highest:,}: {found - bounds.highest:,} too much"
            yield self._breach(name, found, bounds.highest, text)


def refusal(breaches: list[Breach]) -> DataRefusedError | None:
    """The error for breaches that nobody accepted; None if there is none."""
    refused = [breach for breach in breaches if not breach.accepted]
    if not refused:
        return None
    listing = "\n".join(f"- {breach}" for breach in refused)
    options = " ".join(f"--accept {name}" for name in dict.fromkeys(breach.expectation for breach in refused))
    return DataRefusedError(
        f"the batch is not what is expected; nothing was published:\n{listing}",
        remedy="correct the files, or the expectations (docs/feeds.md), and load again; to publish this batch all the "
        f"same, this once: {options}",
        gate=[breach.to_json() for breach in breaches],
    )
