"""A load that stops dead between any two commits, and the same command again: the books are as if undisturbed."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest

from engine.leaves import LeafTask, build_leaf
from tests.database import copied_database
from tests.faults.killing import Killed, dying, places
from tests.integration.test_load import assert_summary_agrees
from tests.loading import SERVICE, client, content, load, rows_of, state, transaction, value_of, write_feed
from warehouse.copy import copy_frame
from warehouse.errors import TargetError
from warehouse.ledger import WorkEntry

# What is called, whether the run dies before or after, at which call.
POINTS = [
    ("engine.publish._dimensions", "after", 1),
    ("engine.clients.store_identities", "after", 1),
    ("engine.clients.restate", "after", 1),
    ("engine.publish._labels", "after", 1),
    ("engine.publish.write_keys", "after", 1),
    ("engine.beneficiaries.copy_frame", "after", 1),
    ("engine.publish.write_beneficiary_keys", "after", 1),
    ("engine.publish.build_leaf", "before", 1),
    ("engine.leaves.index_and_analyse", "after", 1),
    ("engine.leaves.record_work", "after", 1),
    ("engine.publish.build_leaf", "after", 1),
    ("engine.publish.attach", "before", 1),
    ("engine.publish.attach", "after", 1),
    ("engine.publish.build_leaf", "after", 2),
    ("engine.publish.attach", "after", 2),
    ("engine.merge.record_work", "after", 1),
    ("engine.publish.merge", "after", 1),
    ("engine.publish.recompute_dirty_cells", "after", 1),
    ("engine.publish.refresh_views", "after", 1),
    ("engine.publish.reconcile", "after", 1),
    ("engine.reconcile.record_file", "after", 1),
    ("engine.publish.close", "after", 1),
]
# With rows whose newer version falls into a month that has no leaf yet.
MOVED_POINTS = [
    ("engine.publish.build_leaf", "before", 1),
    ("engine.publish.attach", "after", 1),
    ("engine.publish.attach", "after", 2),
    ("engine.merge.record_work", "after", 1),
    ("engine.publish.merge", "after", 1),
    ("engine.publish.close", "after", 1),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the warehouse holds already: January."""
    folder = tmp_path_factory.mktemp("base") / "feeds"
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "clients", [client("C1", "2024-01-01T00:00:00Z")])
    write_feed(folder, "transactions", [transaction(n, client_id=f"C{n % 3}") for n in range(20)])
    write_feed(folder, "fraud_labels", [label(n) for n in range(5)])
    return folder


def label(number: int, **changes: Any) -> dict[str, Any]:
    return {"transaction_id": f"T{number}", "is_fraud": "1", "reported_at": "2024-01-20T00:00:00Z", **changes}


def delivery(folder: Path, *, moved: bool) -> Path:
    """Everything at once: new leaves, rows for an old one, changes of clients, labels, bad rows and conflicts."""
    february, march = "2024-02-10T10:00:00Z", "2024-03-10T10:00:00Z"
    write_feed(folder, "services", [{**SERVICE, "category": "OTHER"}, {**SERVICE, "service_id": "S2"}])
    write_feed(folder, "channels", [{"channel_code": "USSD", "channel_name": "USSD"}])
    changes = [client("C1", "2024-02-01T00:00:00Z", risk_level="HIGH"), client("C2", "2024-01-01T00:00:00Z")]
    write_feed(folder, "clients", [*changes, client("C7", "2024-01-01T00:00:00Z"), client("C8", "never")])
    again = [
        transaction(0, client_id="C0"),
        transaction(1, client_id="C1", status="REVERSED", updated_at=february),
        transaction(2, client_id="C2", amount="2"),
        transaction(3, client_id="C0", status="FAILED", updated_at=february),
        transaction(3, client_id="C0", status="REVERSED", updated_at=march),
        transaction(30, amount="NaN"),
    ]
    fresh = [transaction(n, transaction_ts=february, client_id=f"C{n % 9}", service_id="S2") for n in range(100, 120)]
    fresh += [
        transaction(n, transaction_ts=march, location_code=f"L{n % 3}", beneficiary_id=f"MRC-{n % 4}")
        for n in range(200, 210)
    ]
    twice = [
        transaction(150, transaction_ts=february, status="PENDING", updated_at=february),
        transaction(150, transaction_ts=march, updated_at=march),
        transaction(150, transaction_ts=march, updated_at=march),
        transaction(150, transaction_ts=march, updated_at=march, amount="9"),
    ]
    if moved:
        again += [transaction(4, client_id="C1", transaction_ts=march, updated_at=march)]
        again += [transaction(5, client_id="C2", transaction_ts=march, updated_at=february)] * 2
        again += [transaction(6, client_id="C0", transaction_ts=march, amount="5")]
    write_feed(folder, "transactions", [*again, *fresh, *twice])
    reports = [
        label(1),
        label(2, is_fraud="0"),
        label(3, is_fraud="0", reported_at=february),
        label(100),
        label(0, is_fraud="x"),
    ]
    write_feed(folder, "fraud_labels", reports)
    return folder


@pytest.fixture(scope="module")
def january(template_database: tuple[str, str], base: Path) -> Iterator[tuple[str, str]]:
    """The database that each test gets a copy of."""
    with copied_database(*template_database) as url:
        load(base, url)
        yield template_database[0], url.split("/")[3].split("?")[0]


@pytest.fixture
def url(january: tuple[str, str]) -> Iterator[str]:
    with copied_database(*january) as copy:
        yield copy


Scene = tuple[Path, dict[str, str]]


@pytest.fixture(scope="module")
def scene(january: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A delivery, and the state of a warehouse that took it in undisturbed."""
    return _undisturbed(january, delivery(tmp_path_factory.mktemp("delivery") / "feeds", moved=False))


@pytest.fixture(scope="module")
def moved_scene(january: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return _undisturbed(january, delivery(tmp_path_factory.mktemp("delivery") / "feeds", moved=True))


def _undisturbed(january: tuple[str, str], folder: Path) -> Scene:
    with copied_database(*january) as url:
        load(folder, url)
        return folder, state(url)


def load_until(folder: Path, url: str, point: tuple[str, str, int]) -> None:
    target, when, call = point
    original = pkgutil.resolve_name(":".join(target.rsplit(".", 1)))
    with mock.patch(target, dying(original, when, call)), pytest.raises(Killed):
        load(folder, url)


def name_of(point: tuple[str, str, int]) -> str:
    return f"{point[1]} {point[0].removeprefix('engine.')} {point[2]}"


@pytest.mark.parametrize("point", places(POINTS), ids=name_of)
def test_the_same_command_again_finishes_the_work(url: str, scene: Scene, point: tuple[str, str, int]) -> None:
    folder, expected = scene
    load_until(folder, url, point)
    assert load(folder, url).status == ("nothing" if point[0] == "engine.publish.close" else "done")
    assert state(url) == expected
    assert_summary_agrees(url)
    assert load(folder, url).status == "nothing"


@pytest.mark.parametrize("point", places(MOVED_POINTS), ids=name_of)
def test_the_same_command_again_finds_moved_rows(url: str, moved_scene: Scene, point: tuple[str, str, int]) -> None:
    test_the_same_command_again_finishes_the_work(url, moved_scene, point)


@pytest.mark.parametrize("point", POINTS[2:-1:3], ids=name_of)
def test_other_work_in_between_does_no_harm(
    url: str, january: tuple[str, str], scene: Scene, tmp_path: Path, point: tuple[str, str, int]
) -> None:
    """The next command need not be the same: what was left in staging goes, what was attached is merged with."""
    folder, _ = scene
    rows = [transaction(900, client_id="C0"), transaction(901, client_id="C0", transaction_ts="2024-03-15T00:00:00Z")]
    write_feed(tmp_path, "transactions", rows)
    load_until(folder, url, point)
    load(tmp_path, url)
    assert state(url)["staging"].startswith("0 rows")
    load(folder, url)
    with copied_database(*january) as undisturbed:
        load(tmp_path, undisturbed)
        load(folder, undisturbed)
        assert content(url) == content(undisturbed)


def test_leaves_of_a_dead_run_that_nobody_comes_back_for_are_dropped(url: str, tmp_path: Path) -> None:
    load_until(delivery(tmp_path / "delivery", moved=False), url, ("engine.publish.attach", "before", 1))
    assert not state(url)["staging"].startswith("0 rows")
    other = tmp_path / "other"
    write_feed(other, "transactions", [transaction(900)])
    load(other, url)
    assert state(url)["staging"].startswith("0 rows")
    assert value_of(url, "SELECT count(*) FROM ops.leaf WHERE state = 'built'") == 1


def test_a_dead_run_shows_as_running_and_its_rows_are_not_in_the_books(url: str, tmp_path: Path) -> None:
    files = value_of(url, "SELECT count(*) FROM ops.file")
    load_until(delivery(tmp_path / "delivery", moved=False), url, ("engine.publish.attach", "after", 1))
    assert rows_of(url, "SELECT status FROM ops.run ORDER BY run_id") == [("done",), ("running",)]
    assert value_of(url, "SELECT count(*) FROM ops.file") == files


def test_a_failed_run_shows_as_failed(url: str, tmp_path: Path) -> None:
    with mock.patch("engine.publish.reconcile", side_effect=TargetError("no")), pytest.raises(TargetError):
        load(delivery(tmp_path / "delivery", moved=False), url)
    assert rows_of(url, "SELECT status FROM ops.run ORDER BY run_id") == [("done",), ("failed",)]


@pytest.fixture
def lying_copy() -> Iterator[None]:
    """A COPY that loses a row."""

    def lose(connection: Any, table: Any, frame: Any, **options: Any) -> None:
        copy_frame(connection, table, frame.head(frame.height - 1), **options)

    with mock.patch("engine.leaves.copy_frame", lose):
        yield


@pytest.mark.usefixtures("lying_copy")
def test_a_row_lost_on_the_way_is_noticed_and_nothing_stays(url: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"leaf 2024-.*: sent .*, PostgreSQL holds"):
        load(delivery(tmp_path / "delivery", moved=False), url)
    assert state(url)["staging"].startswith("0 rows")
    assert value_of(url, "SELECT count(*) FROM dwh.fact_transactions") == 20


def test_a_client_mistaken_on_the_way_is_noticed(url: str, tmp_path: Path) -> None:
    """The totals of a day count clients before they are sent: those that arrive have to be the same."""

    def mistake(connection: Any, table: Any, frame: Any, **options: Any) -> None:
        if "client_durable_key" in frame.columns:
            frame = frame.with_columns(pl.col("client_durable_key") + 1)
        copy_frame(connection, table, frame, **options)

    with mock.patch("engine.leaves.copy_frame", mistake), pytest.raises(TargetError, match=r"days=1.*, .*days=0"):
        load(delivery(tmp_path / "delivery", moved=False), url)
    assert state(url)["staging"].startswith("0 rows")


def test_a_leaf_task_that_is_run_twice_changes_nothing(url: str, scene: Scene) -> None:
    """As an executor does that has lost sight of a worker."""
    folder, expected = scene

    def twice(task: LeafTask) -> WorkEntry:
        first = build_leaf(task)
        assert build_leaf(task) == first
        return first

    with mock.patch("engine.publish.build_leaf", twice):
        load(folder, url)
    assert state(url) == expected
