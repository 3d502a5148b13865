"""A warehouse with labels, scores and segmentations, whose dashboards are up to date; and what is done to it."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from engine.dashboard_verification import differing_tables
from engine.dashboards import Refreshed, refresh_dashboards
from engine.verification import differing_views
from ml.fraud.scores import Work, leaves_of, write_scores
from ml.rfm import segmentation
from partitions.policy import policies_of
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import load, new_folder, rows_of, sample_folder, settings_for, transaction, write_feed
from warehouse.connection import connect
from warehouse.ledger import open_run
from warehouse.lock import single_writer

PLAN = SamplePlan(rows=4_000, months=3, dirty_share=0.0, update_share=0.03, clients=200)
FIRST, SECOND = date(2024, 3, 1), date(2024, 3, 20)
TODAY = date(2026, 1, 1)


@contextmanager
def filled(server: str, template: str) -> Iterator[str]:
    """Load a sample, score it, segment its clients twice, refresh."""
    with copied_database(server, template) as url:
        load(sample_folder(PLAN), url)
        score(url, [20240105, 20240210, 20240211, 20240330], salt=1)
        segmentation.fit(url, settings_for(url), FIRST, TODAY)
        segmentation.assign(url, SECOND, TODAY)
        refresh(url)
        yield url


@contextmanager
def copied(url: str) -> Iterator[str]:
    """A copy for one test."""
    parts = urlsplit(url)
    with copied_database(url, parts.path[1:]) as copy:
        yield copy


def refresh(url: str) -> Refreshed:
    with single_writer(url), connect(url) as connection:
        return refresh_dashboards(connection)


def refreshed(url: str) -> Refreshed:
    """Refresh, and see that everything is what it would be if it were all computed anew."""
    done = refresh(url)
    with connect(url) as connection:
        found = differing_tables(connection) | differing_views(connection)
    assert {name: rows for name, rows in found.items() if rows} == {}
    assert stale_views(url) == []
    return done


def stale_views(url: str) -> list[str]:
    found = rows_of(url, "SELECT view_name FROM dwh.v_freshness WHERE is_stale ORDER BY 1")
    return [name for (name,) in found]


def load_rows(url: str, *rows: dict[str, str], feed: str = "transactions") -> None:
    folder = new_folder("more")
    write_feed(folder, feed, rows)
    load(folder, url)


def later(row: dict[str, str], **changes: str) -> dict[str, str]:
    """A newer version of a row of the sample."""
    return {**row, "updated_at": "2024-06-30T00:00:00Z", **changes}


def sample_rows(feed: str) -> list[dict[str, str]]:
    paths: Sequence[Path] = sorted(sample_folder(PLAN).glob(f"{feed}*.csv"))
    frames = [pl.read_csv(path, infer_schema=False) for path in paths]
    return pl.concat(frames).fill_null("").to_dicts()


def good_transactions(url: str, count: int) -> list[dict[str, str]]:
    """Rows of the files that were loaded, in their newest version, of days all over the sample."""
    found = rows_of(
        url,
        "SELECT transaction_id, source_updated_at FROM dwh.fact_transactions WHERE status_key = 1"
        " ORDER BY md5(transaction_id) LIMIT %s",
        count,
    )
    stored = {name for name, _ in found}
    rows = {row["transaction_id"]: row for row in sample_rows("transactions") if row["transaction_id"] in stored}
    return [rows[name] for name in sorted(rows)]


def score(url: str, days: list[int], *, salt: int, share: int = 100) -> None:
    """Scores for some days, made from the ids: a tenth is to be reviewed, a tenth blocked."""
    settings = settings_for(url)
    with single_writer(url) as lock, connect(url) as connection:
        run_id = open_run(connection, "fraud score", f"scores {salt} {days}", datetime.now(UTC))
        lock.lead(run_id)
        for day in days:
            (leaf,) = leaves_of(connection, policies_of(settings), [day], settings.business_timezone)
            ids = connection.execute(
                "SELECT transaction_id FROM dwh.fact_transactions WHERE date_key = %s ORDER BY 1", (day,)
            ).fetchall()
            chances = [chance(f"{salt}{name}") for (name,) in ids]
            frame = pl.DataFrame(
                {
                    "transaction_id": [name for (name,) in ids],
                    "fraud_score": chances,
                    "band": [band_of(one) for one in chances],
                }
            ).select(
                scored_at=pl.lit(datetime.now(UTC), pl.Datetime("us", "UTC")),
                fraud_score="fraud_score",
                date_key=pl.lit(day, pl.Int32),
                transaction_id="transaction_id",
                model_version=pl.lit("invented"),
                band="band",
                reasons=pl.lit([], pl.List(pl.String)),
            )
            write_scores(Work(connection, run_id, f"scores {salt} {day}"), leaf, frame, whole=True)
        connection.execute("UPDATE ops.run SET status = 'done', finished_at = now() WHERE run_id = %s", (run_id,))


def chance(text: str) -> float:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:6], 16) / 0xFFFFFF


def band_of(score: float) -> str:
    return "block" if score > 0.9 else "review" if score > 0.8 else "allow"


def invented(number: int, day: str, **changes: str) -> dict[str, str]:
    """A transaction of a service, and by default of a client, that the sample knows."""
    moment = f"{day}T10:00:00Z"
    plain = {"client_id": busiest_client()["client_id"], "service_id": "SAL-BULK"}
    return transaction(number, transaction_ts=moment, updated_at=moment, **(plain | changes))


@cache
def busiest_client() -> dict[str, str]:
    """The newest row of the client with most transactions."""
    counts = Counter(row["client_id"] for row in sample_rows("transactions"))
    (name, _), *_ = counts.most_common(1)
    return [row for row in sample_rows("clients") if row["client_id"] == name][-1]
