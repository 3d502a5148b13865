"""Steps 1 to 3 over a folder: discover its files, read them, check every row. Nothing is written to the warehouse."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from engine.arrival import ALL_WHOLE, Arrival, require_unchanged
from engine.dimensions import with_defaults
from engine.discover import Discovery, SourceFile, discover
from engine.duplicates import versions
from engine.feeds import SERVICES, TRANSACTIONS, Feed
from engine.outcomes import Outcomes
from engine.parse import Domains
from engine.read import Reader, open_reader
from engine.shards import Dictionary
from engine.sift import Sieve, Sifted, sift
from engine.steps import Stopwatch, Watcher
from engine.summary import Summary
from partitions.catalog import read_catalog
from partitions.layout import Layout
from partitions.policy import facts_and_summary, policies_of
from partitions.timeline import awaited_spans
from warehouse.connection import Connection
from warehouse.errors import SourceError
from warehouse.keyring import Keyring
from warehouse.ledger import known_files
from warehouse.queries import query
from warehouse.settings import Settings

# Less than this is what clocks differ by that nobody has set.
CLOCKS_APART = timedelta(minutes=1)


@dataclass(frozen=True)
class Intake:
    """What steps 1 to 3 found."""

    discovery: Discovery
    readers: list[Reader]
    sieve: Sieve
    sifted: Sifted

    @cached_property
    def judged(self) -> pl.DataFrame:
        """The transactions whose id came several times (`duplicates.versions`); found when first asked for."""
        return versions(self.sifted.slices)

    @property
    def files(self) -> tuple[SourceFile, ...]:
        return self.discovery.files

    def of_feed(self, feed: Feed) -> list[tuple[SourceFile, Outcomes, pl.DataFrame]]:
        """Files of a feed with their counts and good rows."""
        found = []
        for file in self.files:
            rows = self.sifted.rows_of(file)
            if file.feed is feed and rows is not None:
                found.append((file, self.sifted.outcomes[file.number], rows))
        return found


@dataclass(frozen=True)
class Doorkeeper:
    """With what files are taken in: the folder for what is put aside, the keys, and who looks on.

    `arrival` says which files are whole; a folder without any file `may_be_empty`.
    """

    connection: Connection
    settings: Settings
    keyring: Keyring
    work_folder: Path
    stopwatch: Stopwatch
    watcher: Watcher
    arrival: Arrival = ALL_WHOLE
    may_be_empty: bool = False


def take_in(keeper: Doorkeeper, folder: Path, mapping: Path | None, summary: Summary) -> Intake | None:
    """Find, read and check the files of a folder that the ledger does not know yet; None if it knows them all.

    Raises:
        SourceError: one or more files cannot be read as what they claim to be, or are being written to; all are named.
        ConfigurationError: the folder or its mapping is wrong.
    """
    with keeper.stopwatch.step(1):
        discovery, readers = find(keeper, folder, mapping, summary, known=set(known_files(keeper.connection)))
    if not discovery.files:
        summary.status = "nothing"
        return None
    return read_and_check(keeper, discovery, readers)


def find(
    keeper: Doorkeeper, folder: Path, mapping: Path | None, summary: Summary, *, known: set[tuple[str, str, str]]
) -> tuple[Discovery, list[Reader]]:
    """Step 1: the files of a folder but the `known` ones, opened."""
    discovery = _unknown(
        discover(folder, mapping, keeper.arrival, may_be_empty=keeper.may_be_empty), known, keeper.watcher, summary
    )
    return discovery, _open_all(discovery, keeper.watcher, summary)


def read_and_check(keeper: Doorkeeper, discovery: Discovery, readers: list[Reader]) -> Intake:
    """Steps 2 and 3 over opened files."""
    with keeper.stopwatch.step(2):
        sieve, sifted = _sift_all(keeper, readers)
        require_unchanged({file.path: file.stamp for file in discovery.files if file.path and file.stamp})
        keeper.stopwatch.lend(3, sifted.seconds_checking)
    return Intake(discovery, readers, sieve, sifted)


def _unknown(discovery: Discovery, known: set[tuple[str, str, str]], watcher: Watcher, summary: Summary) -> Discovery:
    summary.skipped_files = [file.name for file in discovery.files if file.identity in known]
    if summary.skipped_files:
        watcher.say(f"{len(summary.skipped_files)} file(s) skipped: the ledger has their content already")
    summary.notices += [f"{name} belongs to no feed and is not read" for name in discovery.ignored]
    summary.notices += [f"{name} is not read twice" for name in discovery.same_content]
    summary.unfinished_files = list(discovery.unfinished)
    summary.notices += [f"{name}: it is left for the next run" for name in discovery.unfinished]
    for notice in summary.notices:
        watcher.say(notice)
    files = [file for file in discovery.files if file.identity not in known]
    skipped = tuple(file for file in discovery.files if file.identity in known)
    numbered = tuple(replace(file, number=number) for number, file in enumerate(files))
    return replace(discovery, files=numbered, skipped=skipped)


def _open_all(discovery: Discovery, watcher: Watcher, summary: Summary) -> list[Reader]:
    readers, problems = [], []
    for file in discovery.files:
        try:
            readers.append(open_reader(file))
        except SourceError as exc:
            problems.append(exc)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        listing = "\n".join(f"- {problem}" for problem in problems)
        raise SourceError(f"{len(problems)} files cannot be read; nothing was loaded:\n{listing}")
    for reader in readers:
        if reader.unused:
            summary.notices.append(f"{reader.file.name}: column(s) not used: {', '.join(reader.unused)}")
            watcher.say(summary.notices[-1])
    return readers


def _sift_all(keeper: Doorkeeper, readers: list[Reader]) -> tuple[Sieve, Sifted]:
    sifted = Sifted()
    sieve = _sieve(keeper)
    services = [reader for reader in readers if reader.file.feed is SERVICES]
    others = [reader for reader in readers if reader.file.feed is not SERVICES]
    sift(services, sieve, sifted, lambda rows: keeper.watcher.advance(2, rows))
    sieve = _with_services(sieve, [reader.file for reader in services], sifted)
    # Transactions last: a file of another feed is a single piece, beside which there is then work for all threads.
    others.sort(key=lambda reader: reader.file.feed is TRANSACTIONS)
    sift(others, sieve, sifted, lambda rows: keeper.watcher.advance(2, rows))
    return sieve, sifted


def _sieve(keeper: Doorkeeper) -> Sieve:
    execute = keeper.connection.execute
    currencies = pl.DataFrame(
        execute(query("dimensions/currencies")).fetchall(),
        schema={"currency": pl.String, "currency_key": pl.Int16, "exponent": pl.Int16},
        orient="row",
    )
    services = pl.DataFrame(
        execute(query("dimensions/services")).fetchall(),
        schema={"service_id": pl.String, "commission_rate": pl.Float64, "is_active": pl.Boolean},
        orient="row",
    )
    statuses = dict(execute(query("dimensions/statuses")).fetchall())
    return Sieve(
        timezone=keeper.settings.business_timezone,
        domains=Domains(services, currencies, statuses, _clock(keeper)),
        keyring=keeper.keyring,
        folder=keeper.work_folder,
        dictionary=Dictionary(),
        layout=_layout(keeper),
        threads=keeper.settings.workers + 1,
    )


def _clock(keeper: Doorkeeper) -> datetime:
    """The moment of the run: by this machine's clock or the server's, whichever is ahead.

    Rows from after it are refused: a clock that was set back would refuse the newest of good files.
    """
    here = datetime.now(UTC)
    row = keeper.connection.execute("SELECT clock_timestamp()").fetchone()
    there: datetime = row[0] if row else here
    if there - here > CLOCKS_APART:
        minutes = (there - here).total_seconds() / 60
        keeper.watcher.say(
            f"the clock of this machine is {minutes:,.0f} min behind that of the database: that one counts"
        )
    return max(here, there)


def _layout(keeper: Doorkeeper) -> Layout:
    """The leaves of the facts, those that an interrupted run has built included."""
    policies = facts_and_summary(policies_of(keeper.settings))
    catalog = read_catalog(keeper.connection, policies, keeper.settings.business_timezone)
    facts, summary = (catalog.tables[policy.name] for policy in policies)
    return Layout(
        policies[0].grain,
        [leaf.span for leaf in facts.leaves if leaf.span] + awaited_spans(facts),
        [leaf.span for leaf in summary.leaves if leaf.span],
    )


def _with_services(sieve: Sieve, files: list[SourceFile], sifted: Sifted) -> Sieve:
    """The sieve for transactions: they may refer to services that arrive in the same run."""
    known = sieve.domains.services
    frames = [known]
    for file in files:
        rows = sifted.rows_of(file)
        if rows is not None:
            frames.append(with_defaults("services", rows).select(known.columns))
    services = pl.concat(frames).unique("service_id", keep="last", maintain_order=True)
    return replace(sieve, domains=replace(sieve.domains, services=services))
