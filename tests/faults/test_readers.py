"""No reader is stopped: eight of them and a writer go on while leaves come, go, and change their grain."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from partitions.actions import Site
from partitions.apply import apply
from partitions.grain import Grain
from partitions.leaves import create_attached
from partitions.policy import Policy
from tests.faults.crowd import Crowd, own_rows, percentile
from tests.faults.statements import AGGREGATE, ROWS_A_DAY
from tests.loading import rows_of
from tests.partitioned import FEBRUARY, JANUARY, MARCH, PAYMENTS, fill, left_behind, make_table, spans_of
from warehouse.connection import Connection, connect
from warehouse.lock import single_writer

BASELINE_SECONDS = 3.0
BOUND_SECONDS = 0.2

TODAY = date(2024, 2, 20)
LAST_YEAR = list(Grain.MONTH.spans(date(2023, 1, 1), date(2024, 1, 1)))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        make_table(opened, PAYMENTS, (JANUARY, FEBRUARY), rows_a_day=ROWS_A_DAY)
        create_attached(opened, PAYMENTS, LAST_YEAR[0], "UTC")
        opened.execute("VACUUM ANALYZE dwh.payments")
        yield opened


def managed(url: str, folder: Path, **wanted: object) -> list[str]:
    """What the real `apply` did to reach a policy, as kinds of steps."""
    policy = Policy.model_validate({"schema": "dwh", "table": "payments", "key": "date_key",
                                    "unique": [["payment_id"]], "premake": 0, **wanted})  # fmt: skip
    with single_writer(url), connect(url) as connection:
        applied = apply(Site(connection, url, "UTC", folder), [policy], today=TODAY)
    assert applied.failures == {}
    return [step.kind for step, _ in applied.steps]


def create(url: str, folder: Path) -> None:
    """Eleven leaves in the gap between the oldest leaf and January, one ahead."""
    assert managed(url, folder, premake=1).count("create") == 12
    with connect(url) as connection:
        for span in LAST_YEAR:
            fill(connection, "dwh.payments", span, 20, client_key=-2)


def detach_and_attach(url: str, folder: Path) -> None:
    assert managed(url, folder, retention={"months": 11}, at_end="detach").count("detach") == 2
    assert managed(url, folder).count("attach") == 2


def archive(url: str, folder: Path) -> None:
    done = managed(url, folder, retention={"months": 8}, at_end="archive")
    assert [done.count(kind) for kind in ("archive", "detach", "drop")] == [5, 5, 5]


def drop(url: str, folder: Path) -> None:
    done = managed(url, folder, retention={"days": 50}, at_end="drop")
    assert [done.count(kind) for kind in ("archive", "detach", "drop")] == [0, 7, 7]


def change_grain(url: str, folder: Path, grain: str) -> None:
    assert managed(url, folder, grain=grain, regrain=True).count("change grain") == 3


def test_no_reader_is_stopped(
    database_url: str, connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts: dict[str, Callable[[], object]] = {
        "nothing is done": lambda: time.sleep(BASELINE_SECONDS),
        "12 leaves are created and attached": lambda: create(database_url, tmp_path),
        "2 leaves are detached and attached again": lambda: detach_and_attach(database_url, tmp_path),
        "5 leaves are archived, detached and dropped": lambda: archive(database_url, tmp_path),
        "7 leaves are detached and dropped": lambda: drop(database_url, tmp_path),
        "3 months become days": lambda: change_grain(database_url, tmp_path, "day"),
        "days become 3 months": lambda: change_grain(database_url, tmp_path, "month"),
    }
    expected = rows_of(database_url, AGGREGATE)[0]
    marks = [time.monotonic()]
    with Crowd(database_url, expected) as crowd:
        marks = [time.monotonic()]
        for work in parts.values():
            work()
            marks.append(time.monotonic())
    assert len(list(tmp_path.rglob("*.parquet"))) == 5
    told = [crowd.figures(*span).line(title) for title, span in zip(parts, pairwise(marks), strict=True)]
    whole = crowd.figures(marks[1], marks[-1])
    writer = max(crowd.writer_waits.values(), default=0) * 1000
    told += [whole.line("all of it"), f"the writer waited {writer:.0f} ms at most"]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(told) + "\n")
    assert crowd.wrong == []
    assert own_rows(database_url) == sorted(crowd.own)
    assert (left_behind(database_url), spans_of(database_url, PAYMENTS)) == ([], [JANUARY, FEBRUARY, MARCH])
    assert len(whole.latencies) > 1000
    assert percentile(whole.waits, len(whole.latencies)) < BOUND_SECONDS
