"""Scoring: read, features, margin, probability, band, reasons of the alerts, write."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby

import numpy as np
import polars as pl

from engine.load import given_up_on_error
from ml.fraud.examples import Matrix, matrix_of
from ml.fraud.judging import scores_of
from ml.fraud.registry import Registered, Registry
from ml.fraud.rows import all_labels, parts, rows_at_once, rows_by_day, rows_with_features, spanned
from ml.fraud.scores import Leaf, Work, forget_shadow_scores, leaves_of, write_scores
from ml.fraud.shadow import Shadow
from ml.fraud.tally import Scored
from ml.fraud.windows import Days
from ml.transactions import Transactions
from partitions.grain import date_key, day_of, span_named
from partitions.policy import policies_of
from partitions.renewal import drop_unfinished
from warehouse.connection import Connection, connect
from warehouse.errors import NothingToDoError
from warehouse.ledger import close_run, open_run
from warehouse.lock import WriterLock, single_writer
from warehouse.queries import query
from warehouse.settings import Settings
from warehouse.snapshot import reader


@dataclass(frozen=True)
class Site:
    """Where scores are written, and by which models."""

    url: str
    settings: Settings
    registry: Registry


@dataclass(frozen=True)
class Models:
    """Whose scores count, and who scores beside it, if anybody does."""

    champion: Registered
    shadow: Shadow | None


def score_days(site: Site, days: Days | None, version: str | None = None) -> Scored:
    """Score every transaction of some days, or of all there are; scores that they have are replaced.

    Beside the champion the shadow scores; beside a `version` that is asked for, nobody does.

    Raises:
        NothingToDoError: these days have no transactions.
        ConfigurationError: there is no champion.
        ModelError: the model does not fit.
        TransientTargetError: another run is writing.
    """
    model = site.registry.load(version)
    with single_writer(site.url) as lock, connect(site.url, application="cauri scores") as connection:
        there = sorted(rows_by_day(connection))
        wanted = [date_key(day) for day in there if days is None or days.since <= day < days.until]
        if not wanted:
            known = f"from {there[0]} to {there[-1]}" if there else "on no day"
            asked = f"from {days.since} to before {days.until}" if days else "at all"
            raise NothingToDoError(f"there are no transactions {asked}; there are some {known}", remedy="cauri status")
        shadow = None if version else Shadow.of(site.registry, there[-1])
        return _score(site, connection, lock, Models(model, shadow), wanted, after=None)


def score_new(site: Site) -> Scored:
    """Score what was loaded after the last time, or after the champion was trained.

    Raises:
        NothingToDoError: nothing was.
        ConfigurationError, ModelError, TransientTargetError: see `score_days`.
    """
    model = site.registry.load()
    with single_writer(site.url) as lock, connect(site.url, application="cauri scores") as connection:
        after = _scored_until(connection, model.version)
        days = _days_since(connection, after)
        if not days:
            raise NothingToDoError(
                "no transaction was loaded since scores were written last, or since the model was trained",
                remedy="cauri fraud score --all, or --since and --until, scores days again",
            )
        # The totals of a day come after its rows, where a load was killed between the two.
        shadow = Shadow.of(site.registry, max(*rows_by_day(connection), day_of(days[-1])))
        return _score(site, connection, lock, Models(model, shadow), days, after=after)


def _score(
    site: Site, connection: Connection, lock: WriterLock, models: Models, days: Sequence[int], after: int | None
) -> Scored:
    """Score the transactions of days in a run of its own; with `after`, only those that later runs wrote."""
    clock, version, shadow = datetime.now(UTC), models.champion.version, models.shadow
    work_id = hashlib.sha256(f"{version} {after} {clock.isoformat()}".encode()).hexdigest()
    scored = Scored(version, shadow.version if shadow else None, shadow.problem if shadow else None)
    leaves = leaves_of(connection, policies_of(site.settings), days, site.settings.business_timezone)
    with given_up_on_error(site.url, work_id, clock):
        run_id = open_run(connection, "fraud score", work_id, clock)
        lock.lead(run_id)
        drop_unfinished(connection, leaves[0].policy)
        _score_leaves(site.url, Work(connection, run_id, work_id), models, leaves, after, scored)
        scored.seconds = (datetime.now(UTC) - clock).total_seconds()
        scope = "days" if after is None else "new"
        with connection.transaction():
            forget_shadow_scores(connection, site.registry.shadow, shadow.first if shadow else 0)
            close_run(connection, run_id, "done", {**scored.to_json(), "scope": scope})
    return scored


def _score_leaves(
    url: str, work: Work, models: Models, leaves: Sequence[Leaf], after: int | None, scored: Scored
) -> None:
    """Chunk by chunk, and leaf by leaf in a chunk: a leaf's scores are written while those of the next are computed."""
    transactions, labels = Transactions(url), all_labels(url)
    rows_of = {date_key(day): rows for day, rows in rows_by_day(work.connection).items()}
    leaf_of = {day: leaf for leaf in leaves for day in leaf.days}
    with ThreadPoolExecutor(1, thread_name_prefix="scores") as aside:
        writing: Future[None] | None = None
        for chunk in parts({day: rows_of.get(day, 0) for day in leaf_of}, rows_at_once()):
            with scored.timed("read and features"):
                rows, matrix = _rows(transactions, chunk, labels, after, models.champion)
                day = rows["date_key"].to_numpy()
            for leaf, within in groupby(chunk, key=leaf_of.__getitem__):
                part = replace(leaf, days=tuple(within))
                with scored.timed("score and explain"):
                    places, moment = np.flatnonzero(np.isin(day, part.days)), datetime.now(UTC)
                    given = rows[places], matrix[places], moment
                    scores = scores_of(models.champion, *given)
                    beside = models.shadow.scores_of(*given) if models.shadow else None
                with scored.timed("wait for writes"):
                    if writing:
                        writing.result()
                writing = aside.submit(write_scores, work, part, scores, whole=after is None, shadow=beside)
                scored.count(scores, beside, len(part.days))
        with scored.timed("wait for writes"):
            if writing:
                writing.result()


def _rows(
    transactions: Transactions, days: Sequence[int], labels: pl.DataFrame, after: int | None, model: Registered
) -> tuple[pl.DataFrame, Matrix]:
    """Transactions of days (`transaction_id`, `date_key`) and the matrix of their features, NaN where unknown.

    Raises:
        ModelError: a feature is missing.
    """
    span = spanned(days)
    found = rows_with_features(transactions, span, labels).collect()
    # Where all of them are wanted, a filter would only copy them.
    if not (is_wanted := found["date_key"].is_in(list(days))).all():
        found = found.filter(is_wanted)
    if after is not None:
        with reader(transactions.url) as one:
            new = one.read(query("scores/new_transactions"), (date_key(span.since), date_key(span.until), after))
        found = found.join(new, on="transaction_id", how="semi")
    return found.select("transaction_id", "date_key"), matrix_of(found, model.model.features)


def _scored_until(connection: Connection, version: str) -> int:
    """The run up to which nothing is left to be scored by this model; 0 if there is none."""
    row = connection.execute(query("scores/last_run"), {"version": version}).fetchone()
    return int(row[0] or 0) if row else 0


def _days_since(connection: Connection, after: int) -> list[int]:
    """Days of facts that runs after this one wrote: looked for in the leaves that those runs name."""
    unfinished = connection.execute(query("scores/unfinished_since"), {"after": after}).fetchone()
    if unfinished == (True,):
        # Nobody said which leaves: all are looked through.
        bounds = [(0, date_key(date.max))]
    else:
        leaves = connection.execute(query("scores/leaves_since"), {"after": after}).fetchall()
        spans = [span_named(leaf, "fact_transactions") for (leaf,) in leaves]
        bounds = [(span.first_key, span.end_key) for span in spans if span]
    found: set[int] = set()
    for first, end in bounds:
        rows = connection.execute(query("scores/new_days"), {"first": first, "end": end, "after": after}).fetchall()
        found.update(day for (day,) in rows)
    return sorted(found)
