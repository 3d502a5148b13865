"""No reader is stopped: eight of them and a writer go on while leaves come, go, and change their grain."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from partitions.archive import archive_leaf, drop_archived
from partitions.catalog import Leaf, read_catalog
from partitions.detach import detach_leaf
from partitions.exchanges import spans_of_grain
from partitions.grain import Grain, Span
from partitions.leaves import attach, create_aside, index_and_analyse
from partitions.regrain import change_grain
from tests.faults.crowd import Crowd, own_rows, percentile
from tests.faults.statements import AGGREGATE, ROWS_A_DAY
from tests.loading import rows_of
from tests.partitioned import FEBRUARY, JANUARY, PAYMENTS, fill, leaves_of, left_behind, make_table, spans_of
from warehouse.connection import Connection, connect, sql

BASELINE_SECONDS = 3.0
BOUND_SECONDS = 0.2

NEXT_YEAR = list(Grain.MONTH.spans(date(2025, 1, 1), date(2026, 1, 1)))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        make_table(opened, PAYMENTS, (JANUARY, FEBRUARY), rows_a_day=ROWS_A_DAY)
        opened.execute("VACUUM ANALYZE dwh.payments")
        yield opened


def create_a_year(connection: Connection) -> None:
    for span in NEXT_YEAR:
        with connection.transaction():
            create_aside(connection, PAYMENTS, span, "UTC")
            index_and_analyse(connection, PAYMENTS, span)
        attach(connection, [(PAYMENTS, span)], "UTC")
        fill(connection, "dwh.payments", span, 20, client_key=-2)


def archive_and_drop(connection: Connection, folder: Path) -> None:
    """Half of the year into the archive, as retention does it."""
    for leaf in _leaves_of(connection, NEXT_YEAR[:6]):
        archive_leaf(connection, PAYMENTS, leaf, folder)
        detach_leaf(connection, PAYMENTS, leaf)
        drop_archived(connection, PAYMENTS, leaf, folder)


def detach_and_drop(connection: Connection) -> None:
    for leaf in _leaves_of(connection, NEXT_YEAR[6:]):
        detach_leaf(connection, PAYMENTS, leaf)
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(leaf.schema, leaf.name)))


def _leaves_of(connection: Connection, spans: list[Span]) -> list[Leaf]:
    table = read_catalog(connection, [PAYMENTS], "UTC").tables[PAYMENTS.name]
    return [leaf for leaf in table.leaves if leaf.span in spans]


def regrain(url: str, grain: Grain) -> list[float]:
    leaves = [leaf for leaf in leaves_of(url, PAYMENTS) if leaf.span and JANUARY.covers(leaf.span)]
    done = change_grain(url, PAYMENTS, leaves, spans_of_grain(leaves, grain, leaves_of(url, PAYMENTS)), "UTC")
    return [swap.locked_ms for swap in done]


def test_no_reader_is_stopped(
    database_url: str, connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked: list[float] = []
    parts: dict[str, Callable[[], object]] = {
        "nothing is done": lambda: time.sleep(BASELINE_SECONDS),
        "12 leaves are created and attached": lambda: create_a_year(connection),
        "a month becomes days": lambda: locked.extend(regrain(database_url, Grain.DAY)),
        "days become a month": lambda: locked.extend(regrain(database_url, Grain.MONTH)),
        "6 leaves are archived, detached and dropped": lambda: archive_and_drop(connection, tmp_path),
        "6 leaves are detached and dropped": lambda: detach_and_drop(connection),
    }
    expected = rows_of(database_url, AGGREGATE)[0]
    marks = [time.monotonic()]
    with Crowd(database_url, expected) as crowd:
        marks = [time.monotonic()]
        for work in parts.values():
            work()
            marks.append(time.monotonic())
    assert len(list(tmp_path.rglob("*.parquet"))) == 6
    told = [crowd.figures(*span).line(title) for title, span in zip(parts, pairwise(marks), strict=True)]
    whole = crowd.figures(marks[1], marks[-1])
    writer = max(crowd.writer_waits.values(), default=0) * 1000
    held = ", ".join(f"{ms:.0f}" for ms in locked)
    told += [whole.line("all of it"), f"swaps held their lock for {held} ms; the writer waited {writer:.0f} ms at most"]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(told) + "\n")
    assert crowd.wrong == []
    assert own_rows(database_url) == sorted(crowd.own)
    assert (left_behind(database_url), spans_of(database_url, PAYMENTS)) == ([], [JANUARY, FEBRUARY])
    assert len(whole.latencies) > 1000
    assert percentile(whole.waits, len(whole.latencies)) < BOUND_SECONDS
