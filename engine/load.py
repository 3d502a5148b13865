"""The load: steps 1 to 9 in their order. Each can be interrupted; the same command run again goes on from there."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from engine.arrival import ALL_WHOLE, Arrival
from engine.feeds import TRANSACTIONS
from engine.gate import Breach, Gate, refusal
from engine.intake import Doorkeeper, Intake, take_in
from engine.outcomes import NO_WINNERS, settle
from engine.plan import plan_leaves, work_identity
from engine.publish import Closing, Publisher, publish
from engine.steps import Stopwatch, Watcher
from engine.summary import Summary
from engine.work_folder import work_folder
from engine.workers import leaf_executor, peak_memory
from partitions.coverage import filled_spans
from partitions.policy import Policy, facts_and_summary, policies_of
from warehouse.connection import Connection, connect, require_writable
from warehouse.errors import CauriError
from warehouse.keyring import Keyring, bind
from warehouse.ledger import close_run, give_up_run, open_run, work_done
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
    accept: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        return "nightly" if self.nightly else "load"


@dataclass(frozen=True)
class Job:
    """What a run does: how its rows are taken in, what they are judged by before they are published, and how its books
    are closed (by default those of files).
    """

    command: str
    url: str
    settings: Settings
    keyring: Keyring
    take_in: Callable[[Doorkeeper, Summary], Intake | None]
    gate: Gate = field(default_factory=Gate)
    closing: Closing | None = None
    dry_run: bool = False
    nightly: bool = False

    @property
    def policies(self) -> tuple[Policy, Policy]:
        return facts_and_summary(policies_of(self.settings))


def load(request: Request, watcher: Watcher) -> Summary:
    """Load a folder; with `dry_run`, stop after step 5 and change nothing. `accept` names expectations to pass over.

    Raises:
        DataRefusedError: the batch is not what is expected; nothing was published, and the run's record says so.
        CauriError: see the classes of `warehouse.errors`; the message says what to do.
    """

    def take(keeper: Doorkeeper, summary: Summary) -> Intake | None:
        keeper = replace(keeper, arrival=request.arrival, may_be_empty=request.nightly)
        return take_in(keeper, request.folder, request.mapping, summary)

    job = Job(
        request.command,
        request.url,
        request.settings,
        request.keyring,
        take,
        Gate(request.settings.max_rejected_share, request.accept),
        dry_run=request.dry_run,
        nightly=request.nightly,
    )
    return run(job, watcher)


def run(job: Job, watcher: Watcher) -> Summary:
    """Run steps 1 to 9 of a job, or, with `dry_run`, steps 1 to 5 without a trace.

    Raises:
        CauriError: see `load`.
    """
    summary = Summary("planned" if job.dry_run else "done")
    stopwatch = Stopwatch(watcher)
    if job.dry_run:
        _plan_only(job, stopwatch, watcher, summary)
    else:
        with single_writer(job.url) as lock, leaf_executor(job.settings.workers) as executor:
            _run(job, lock, executor, stopwatch, watcher, summary)
            if job.nightly:
                from engine.maintenance import maintain  # noqa: PLC0415 - of a nightly run only

                with stopwatch.step(10):
                    summary.maintenance = maintain(job.url, job.settings, watcher)
    summary.steps = stopwatch.as_list()
    summary.seconds = stopwatch.elapsed
    summary.peak_rss_bytes = peak_memory()
    return summary


def _plan_only(job: Job, stopwatch: Stopwatch, watcher: Watcher, summary: Summary) -> None:
    with connect(job.url) as connection, work_folder(job.settings) as folder:
        keeper = Doorkeeper(connection, job.settings, job.keyring, folder, stopwatch, watcher)
        intake = job.take_in(keeper, summary)
        if intake is None:
            return
        summary.gate = [breach.to_json() for breach in job.gate.judge(intake)]
        with stopwatch.step(5):
            filled = filled_spans(connection, job.policies)
            summary.planned(plan_leaves(intake.sifted.slices, filled, set()))
        settle(intake.judged, NO_WINNERS).count(intake.sifted.outcomes)
        for file in intake.files:
            if file.feed is not TRANSACTIONS:
                outcomes = intake.sifted.outcomes[file.number]
                outcomes.loaded = outcomes.read - outcomes.rejected
        summary.count(intake.discovery, intake.sifted.outcomes)


def _run(
    job: Job, lock: WriterLock, executor: Executor, stopwatch: Stopwatch, watcher: Watcher, summary: Summary
) -> None:
    with connect(job.url) as connection, work_folder(job.settings) as folder:
        require_writable(connection)
        bind(connection, job.settings, job.keyring)
        intake = job.take_in(Doorkeeper(connection, job.settings, job.keyring, folder, stopwatch, watcher), summary)
        if intake is None:
            return
        work_id = work_identity(intake.files, job.settings.business_timezone, intake.sifted.outcomes)
        clock = intake.sieve.domains.clock
        with given_up_on_error(job.url, work_id, clock):
            run_id = summary.run_id = open_run(connection, job.command, work_id, clock)
            lock.lead(run_id)
            watcher.opened(run_id, intake.files)
            _admit(job.gate.judge(intake), connection, work_id, intake, summary)
            publisher = Publisher(
                connection,
                job.url,
                job.keyring,
                folder,
                run_id,
                work_id,
                stopwatch,
                watcher,
                summary,
                job.policies,
                job.settings.business_timezone,
                job.closing,
            )
            publish(publisher, intake, executor)


def _admit(breaches: list[Breach], connection: Connection, work_id: str, intake: Intake, summary: Summary) -> None:
    """Refuse a batch that is not what is expected, unless an interrupted run of it has published a part."""
    summary.gate = [breach.to_json() for breach in breaches]
    error = refusal(breaches)
    if error is None or work_done(connection, work_id):
        return
    for outcomes in intake.sifted.outcomes.values():
        outcomes.loaded = 0
    summary.status = "refused"
    summary.count(intake.discovery, intake.sifted.outcomes)
    assert summary.run_id is not None
    with connection.transaction():
        close_run(connection, summary.run_id, "refused", summary.to_json())
    raise error


@contextmanager
def given_up_on_error(url: str, work_id: str, started_at: datetime) -> Iterator[None]:
    """Close the run's record if it fails or is stopped, from the moment on at which it may be there."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as exc:
        status = "stopped" if isinstance(exc, KeyboardInterrupt) else "failed"
        # If the database is away, the run stays open in the ledger, as after a kill.
        with suppress(CauriError), connect(url) as connection:
            give_up_run(connection, work_id, started_at, status)
        raise
