"""The load: steps 1 to 9 in their order. Each can be interrupted; the same command run again goes on from there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from engine.arrival import ALL_WHOLE, Arrival
from engine.feeds import TRANSACTIONS
from engine.intake import Doorkeeper, Intake, take_in
from engine.maintenance import maintain
from engine.outcomes import NO_WINNERS, settle
from engine.plan import plan_leaves, work_identity
from engine.publish import Publisher, publish
from engine.slices import SHELF
from engine.steps import Stopwatch, Watcher
from engine.summary import Summary
from engine.workers import leaf_executor, peak_memory
from partitions.coverage import filled_spans
from partitions.policy import facts_and_summary, policies_of
from warehouse.connection import Connection, connect, require_writable
from warehouse.errors import CauriError
from warehouse.keyring import Keyring, bind
from warehouse.ledger import give_up_run, open_run
from warehouse.lock import WriterLock, single_writer
from warehouse.settings import Settings


@dataclass(frozen=True)
class Request:
    """What to load, and into which warehouse; a nightly run takes what has arrived and then maintains the leaves."""

    folder: Path
    url: str
    settings: Settings
    keyring: Keyring
    mapping: Path | None = None
    dry_run: bool = False
    nightly: bool = False
    arrival: Arrival = ALL_WHOLE

    @property
    def command(self) -> str:
        return "nightly" if self.nightly else "load"


def load(request: Request, watcher: Watcher) -> Summary:
    """Load a folder; with `dry_run`, stop after step 5 and change nothing.

    Raises:
        CauriError: see the classes of `warehouse.errors`; the message says what to do.
    """
    summary = Summary("planned" if request.dry_run else "done")
    stopwatch = Stopwatch(watcher)
    if request.dry_run:
        _plan_only(request, stopwatch, watcher, summary)
    else:
        with single_writer(request.url) as lock, leaf_executor(request.settings.workers) as executor:
            _load(request, lock, executor, stopwatch, watcher, summary)
            if request.nightly:
                with stopwatch.step(10):
                    summary.maintenance = maintain(request.url, request.settings, watcher)
    summary.steps = stopwatch.as_list()
    summary.seconds = stopwatch.elapsed
    summary.peak_rss_bytes = peak_memory()
    return summary


def _plan_only(request: Request, stopwatch: Stopwatch, watcher: Watcher, summary: Summary) -> None:
    with connect(request.url) as connection, work_folder(request.settings) as folder:
        intake = _take_in(request, connection, folder, stopwatch, watcher, summary)
        if intake is None:
            return
        with stopwatch.step(5):
            filled = filled_spans(connection, facts_and_summary(policies_of(request.settings)))
            summary.planned(plan_leaves(intake.sifted.slices, filled, set()))
        settle(intake.judged, NO_WINNERS).count(intake.sifted.outcomes)
        for file in intake.files:
            if file.feed is not TRANSACTIONS:
                outcomes = intake.sifted.outcomes[file.number]
                outcomes.loaded = outcomes.read - outcomes.rejected
        summary.count(intake.discovery, intake.sifted.outcomes)


def _load(
    request: Request, lock: WriterLock, executor: Executor, stopwatch: Stopwatch, watcher: Watcher, summary: Summary
) -> None:
    policies = facts_and_summary(policies_of(request.settings))
    with connect(request.url) as connection, work_folder(request.settings) as folder:
        require_writable(connection)
        bind(connection, request.settings, request.keyring)
        intake = _take_in(request, connection, folder, stopwatch, watcher, summary)
        if intake is None:
            return
        work_id, clock = work_identity(intake.files, request.settings.business_timezone), intake.sieve.domains.clock
        with _given_up_on_error(request.url, work_id, clock):
            run_id = summary.run_id = open_run(connection, request.command, work_id, clock)
            lock.lead(run_id)
            watcher.opened(run_id, intake.files)
            publisher = Publisher(
                connection,
                request.url,
                request.keyring,
                folder,
                run_id,
                work_id,
                stopwatch,
                watcher,
                summary,
                policies,
                request.settings.business_timezone,
            )
            publish(publisher, intake, executor)


def _take_in(
    request: Request, connection: Connection, folder: Path, stopwatch: Stopwatch, watcher: Watcher, summary: Summary
) -> Intake | None:
    keeper = Doorkeeper(
        connection,
        request.settings,
        request.keyring,
        folder,
        stopwatch,
        watcher,
        request.arrival,
        may_be_empty=request.nightly,
    )
    return take_in(keeper, request.folder, request.mapping, summary)


@contextmanager
def _given_up_on_error(url: str, work_id: str, started_at: datetime) -> Iterator[None]:
    """Close the run's record if it fails or is stopped, from the moment on at which it may be there."""
    try:
        yield
    except BaseException as exc:
        status = "stopped" if isinstance(exc, KeyboardInterrupt) else "failed"
        # If the database is away, the run stays open in the ledger, as after a kill.
        with suppress(CauriError), connect(url) as connection:
            give_up_run(connection, work_id, started_at, status)
        raise


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A folder of this process for shards and snapshots, gone afterwards, as are those that killed runs left."""
    parent = settings.home_path / "work"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    me = str(os.getpid())
    for left in parent.iterdir():
        owner = left.name.partition("-")[0]
        # In a container the number of a killed run is soon that of the next.
        if owner == me or not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
    # Never the same name twice: what was read from a snapshot is remembered under its path.
    folder = Path(tempfile.mkdtemp(prefix=f"{me}-", dir=parent))
    try:
        yield folder
    finally:
        SHELF.clear()
        shutil.rmtree(folder, ignore_errors=True)
