"""Steps 4 to 9: what was taken in becomes rows of the warehouse."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.aggregates import analyse, recompute_dirty_cells, refresh_views
from engine.beneficiaries import write_beneficiary_keys
from engine.clients import store_clients
from engine.dimensions import SMALL, upsert
from engine.feeds import CLIENTS, FEEDS, FRAUD_LABELS
from engine.intake import Intake
from engine.keys import KeyFolder
from engine.labels import store_labels, with_sequence
from engine.leaves import LeafTask, build_leaf
from engine.members import write_keys
from engine.merge import OFFERED, Incoming, Work, merge, stored_elsewhere
from engine.merge import PART as MERGE_PART
from engine.outcomes import NO_WINNERS, Outcomes, Verdicts, settle
from engine.plan import BUILD, DONE, MERGE, LeafPlan, plan_leaves
from engine.reconcile import close, reconcile
from engine.shards import SHARD_SCHEMA
from engine.sift import seal_conflicts
from engine.slices import Slice, read_slices
from engine.steps import Stopwatch, Watcher
from engine.summary import Summary
from engine.workers import CONNECTIONS
from partitions.coverage import attached_spans, built_spans, filled_spans
from partitions.grain import Span, span_named
from partitions.leaves import attach, create_attached, drop_staged
from partitions.policy import Policy
from warehouse.connection import Connection
from warehouse.keyring import Keyring
from warehouse.ledger import WorkEntry, forget_leaf, record_work, runs_of_work, work_done
from warehouse.lock import require_writer

log = logging.getLogger(__name__)

# Writes down what became of the rows and ends the run, in one transaction: connection, run, intake, summary.
Closing = Callable[[Connection, int, Intake, dict[str, Any]], None]


@dataclass(frozen=True)
class Publisher:
    """What publishing works with: `policies` and `timezone` say how leaves are made.

    `done` is what an interrupted run of the same work has committed, by part.
    """

    connection: Connection
    url: str
    keyring: Keyring
    work_folder: Path
    run_id: int
    work_id: str
    stopwatch: Stopwatch
    watcher: Watcher
    summary: Summary
    policies: tuple[Policy, Policy]
    timezone: str
    closing: Closing | None = None

    @property
    def keys(self) -> KeyFolder:
        return KeyFolder(self.work_folder)

    def done(self) -> dict[str, WorkEntry]:
        """What of this work is committed, by part."""
        return work_done(self.connection, self.work_id)


def publish(publisher: Publisher, intake: Intake, executor: Executor) -> None:
    """Run steps 4 to 9.

    Raises:
        CauriError: what was committed stays and is found again by the next run of the same work.
    """
    stopwatch, summary = publisher.stopwatch, publisher.summary
    with stopwatch.step(4), ThreadPoolExecutor(2) as aside:
        url, sieve, keys = publisher.url, intake.sieve, publisher.keys
        beneficiaries = aside.submit(write_beneficiary_keys, url, sieve, intake.sifted.slices, keys)
        judging = aside.submit(lambda: intake.judged)
        _dimensions(publisher, intake)
        _labels(publisher, intake)
        summary.inferred_clients = write_keys(publisher.connection, url, sieve, intake.sifted.slices, keys)
        summary.new_beneficiaries = beneficiaries.result()
        judging.result()
        sieve.dictionary.forget()
    with stopwatch.step(5):
        _drop_foreign_leaves(publisher)
        _make_partners(publisher, {piece.span for piece in intake.sifted.slices})
        filled = filled_spans(publisher.connection, publisher.policies)
        plans = plan_leaves(intake.sifted.slices, filled, _built(publisher))
        moved = _rows_stored_elsewhere(publisher, plans, filled)
        summary.planned(plans)
    with stopwatch.step(6, total=sum(plan.action == BUILD for plan in plans)):
        for span in _build(publisher, plans, intake.judged, moved, executor):
            _attach(publisher, span)
        verdicts = _merge(publisher, plans, intake.judged, moved)
        verdicts.count(intake.sifted.outcomes)
    with stopwatch.step(8), ThreadPoolExecutor(1) as aside:
        require_writer(publisher.connection, publisher.run_id)
        summary.recomputed_cells = recompute_dirty_cells(publisher.connection)
        statistics = aside.submit(analyse, publisher.url)
        summary.refreshed_views = refresh_views(publisher.connection)
        statistics.result()
    with stopwatch.step(9):
        reconcile(intake.files, intake.sifted.outcomes, publisher.done().values())
        seal_conflicts(intake.readers, verdicts.conflicts, intake.sieve, intake.sifted)
        summary.count(intake.discovery, intake.sifted.outcomes)
        summary.steps = stopwatch.as_list()
        summary.seconds = stopwatch.elapsed
        (publisher.closing or close)(publisher.connection, publisher.run_id, intake, summary.to_json())


def _dimensions(publisher: Publisher, intake: Intake) -> None:
    """Small dimensions, clients and identities; after a restart only their counts are taken over."""
    feeds = [FEEDS[name] for name in (*SMALL, CLIENTS.name)]
    files = [item for feed in feeds for item in intake.of_feed(feed)]
    done = publisher.done().get("dimensions")
    if done:
        for file, outcomes, _ in files:
            for name, rows in (done.outcomes or {})[str(file.number)].items():
                setattr(outcomes, name, rows)
        publisher.summary.restated_facts = done.rows
        return
    if not files:
        return
    with publisher.connection.transaction():
        for name in SMALL:
            upsert(publisher.connection, name, [(counts, rows) for _, counts, rows in intake.of_feed(FEEDS[name])])
        if intake.of_feed(CLIENTS):
            publisher.summary.restated_facts = store_clients(
                publisher.connection,
                publisher.url,
                intake.of_feed(CLIENTS),
                keyring=publisher.keyring,
                run_id=publisher.run_id,
                clock=intake.sieve.domains.clock,
            )
        counted = {str(file.number): _counted(outcomes) for file, outcomes, _ in files}
        restated = publisher.summary.restated_facts
        _record(publisher, WorkEntry("dimensions", "dimensions", restated, outcomes=counted))


def _counted(outcomes: Outcomes) -> dict[str, int]:
    return {name: getattr(outcomes, name) for name in ("loaded", "updated", "repeated")}


def _record(publisher: Publisher, entry: WorkEntry) -> None:
    record_work(publisher.connection, publisher.work_id, publisher.run_id, entry)


def _labels(publisher: Publisher, intake: Intake) -> None:
    files = intake.of_feed(FRAUD_LABELS)
    if not files:
        return
    for _, outcomes, rows in files:
        outcomes.loaded += rows.height
    done = publisher.done().get("labels")
    if done:
        verdicts = Verdicts.from_json(done.outcomes or {})
    else:
        with publisher.connection.transaction():
            labels = pl.concat([with_sequence(rows, file.number) for file, _, rows in files])
            verdicts = store_labels(publisher.connection, labels, publisher.run_id)
            _record(publisher, WorkEntry("labels", "labels", outcomes=verdicts.to_json()))
    verdicts.count(intake.sifted.outcomes)
    seal_conflicts(
        [reader for reader in intake.readers if reader.file.feed is FRAUD_LABELS],
        verdicts.conflicts,
        intake.sieve,
        intake.sifted,
    )


def _built(publisher: Publisher) -> set[Span]:
    parts = (part for part, entry in publisher.done().items() if entry.state == "built")
    spans = (span_named(part, "fact_transactions") for part in parts)
    return {span for span in spans if span is not None}


def _drop_foreign_leaves(publisher: Publisher) -> None:
    """Leaves in staging that nobody will attach: of other work, or for days whose leaf has got rows since."""
    built = built_spans(publisher.connection)
    filled = filled_spans(publisher.connection, publisher.policies)
    for span in (built - _built(publisher)) | (built & filled):
        with publisher.connection.transaction():
            for policy in publisher.policies:
                drop_staged(publisher.connection, policy, span)
            forget_leaf(publisher.connection, span.leaf_of("fact_transactions"))


def _make_partners(publisher: Publisher, spans: set[Span]) -> None:
    """Leaves, without rows, for days of which only the other table has one: rows are merged into them."""
    facts, summary = publisher.policies
    there = attached_spans(publisher.connection, facts.name)
    beside = attached_spans(publisher.connection, summary.name)
    wanted = spans - _built(publisher)
    lacking = [(facts, span) for span in wanted - there if any(other.covers(span) for other in beside)]
    lacking += [(summary, span) for span in wanted & there if not any(other.overlaps(span) for other in beside)]
    for policy, span in lacking:
        create_attached(publisher.connection, policy, span, publisher.timezone)


def _rows_stored_elsewhere(publisher: Publisher, plans: list[LeafPlan], filled: set[Span]) -> pl.DataFrame:
    """Rows (`OFFERED`) for new leaves whose id the warehouse already holds: they have to be merged."""
    # Leaves that this very work has built cannot hold them: an id came into one leaf only.
    if filled <= _built(publisher) or not _new_leaves(plans):
        return pl.DataFrame(schema={name: SHARD_SCHEMA[name] for name in OFFERED})
    own_runs = runs_of_work(publisher.connection, publisher.work_id)
    return stored_elsewhere(publisher.connection, publisher.url, _new_leaves(plans), own_runs)


def _new_leaves(plans: list[LeafPlan]) -> list[Slice]:
    """Slices of the leaves that this work builds, or built before it was interrupted."""
    return [piece for plan in plans if plan.action in (BUILD, DONE) for piece in plan.slices]


def _build(
    publisher: Publisher, plans: list[LeafPlan], judged: pl.DataFrame, moved: pl.DataFrame, executor: Executor
) -> Iterator[Span]:
    """Build the new leaves, in parallel; give each span as its leaf is ready, those of an earlier run first."""
    staged = built_spans(publisher.connection)
    yield from (plan.span for plan in plans if plan.action == DONE and plan.span in staged)
    others = judged.filter(~pl.col("wins"))
    excluded = pl.concat([others.select("seq", "date_key"), moved.select("seq", "date_key")]).unique()
    path = publisher.work_folder / "excluded.arrow"
    excluded.write_ipc(path)
    tasks = [
        LeafTask(
            publisher.url,
            plan.span,
            plan.slices,
            publisher.keys,
            path if excluded.height else None,
            publisher.run_id,
            publisher.work_id,
            publisher.policies,
            publisher.timezone,
        )
        # The largest first: the last worker to finish then keeps the others waiting least.
        for plan in sorted(plans, key=lambda plan: -plan.rows)
        if plan.action == BUILD
    ]
    with closing(CONNECTIONS):
        futures = {executor.submit(build_leaf, task): task.span for task in tasks}
        for future in as_completed(futures):
            entry = future.result()
            log.info("leaf built", extra={"leaf": entry.part, "rows": entry.rows})
            yield futures[future]
            publisher.watcher.advance(6, 1)


def _attach(publisher: Publisher, span: Span) -> None:
    with publisher.stopwatch.within(7):
        require_writer(publisher.connection, publisher.run_id)
        attach(publisher.connection, [(policy, span) for policy in publisher.policies], publisher.timezone)


def _merge(publisher: Publisher, plans: list[LeafPlan], judged: pl.DataFrame, moved: pl.DataFrame) -> Verdicts:
    """Merge what goes to leaves that existed; return the final outcomes of every id that was there more than once."""
    done = publisher.done().get(MERGE_PART)
    incoming = None if done else _to_merge(plans, judged, moved)
    if done:
        merged = Verdicts.from_json(done.outcomes or {})
    elif incoming is None:
        merged = Verdicts.from_json({})
    else:
        own_runs = runs_of_work(publisher.connection, publisher.work_id)
        work = Work(publisher.url, publisher.work_id, publisher.run_id, own_runs)
        merged = merge(publisher.connection, work, incoming, publisher.keys)
    # By what was merged: in a run that was resumed, those that had moved stand in their leaves already.
    settled = judged.join(merged.rows, on="seq", how="semi")
    unmerged = judged.join(settled, on="transaction_id", how="anti")
    return Verdicts(pl.concat([merged.rows, settle(unmerged, NO_WINNERS).rows]))


def _to_merge(plans: list[LeafPlan], judged: pl.DataFrame, moved: pl.DataFrame) -> Incoming | None:
    """Rows for leaves that existed, those that had `moved`, and the other versions of their ids; None if no row is."""
    existing = read_slices([piece for plan in plans if plan.action == MERGE for piece in plan.slices])
    if existing.is_empty() and moved.is_empty():
        return None
    ids = pl.concat([existing.select("transaction_id"), moved.select("transaction_id")]).unique()
    others = (
        judged.join(ids, on="transaction_id", how="semi")
        .join(existing, on="seq", how="anti")
        .join(moved, on="seq", how="anti")
    )
    beside = pl.concat([moved["seq"], others["seq"]])
    new_leaves = _new_leaves(plans) if len(beside) else []
    from_new_leaves = read_slices(new_leaves, where=pl.col("seq").is_in(beside.implode()))
    return Incoming(pl.concat([existing, from_new_leaves]), built=others["seq"])
