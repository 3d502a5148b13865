"""A replay that stops dead between any two commits, and the same command again: nothing is lost, nothing is doubled."""

import pkgutil
import random
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from engine.selection import Selection
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.faults.killing import Killed, dying, places
from tests.faults.test_interrupted import label, name_of
from tests.integration.test_load import assert_summary_agrees
from tests.loading import (
    SERVICE,
    cauri,
    cauri_process,
    client,
    execute,
    load,
    rows_of,
    sample_folder,
    state,
    transaction,
    write_feed,
)
from tests.replaying import accounts, differs, export, open_rows, replay

POINTS = [
    ("engine.publish._dimensions", "after", 1),
    ("engine.clients.store_identities", "after", 1),
    ("engine.publish._labels", "after", 1),
    ("engine.publish.write_keys", "after", 1),
    ("engine.publish.build_leaf", "before", 1),
    ("engine.leaves.record_work", "after", 1),
    ("engine.publish.build_leaf", "after", 1),
    ("engine.publish.attach", "before", 1),
    ("engine.publish.attach", "after", 1),
    ("engine.merge.record_work", "after", 1),
    ("engine.publish.merge", "after", 1),
    ("engine.publish.recompute_dirty_cells", "after", 1),
    ("engine.publish.refresh_views", "after", 1),
    ("engine.publish.reconcile", "after", 1),
    ("engine.replay.store_form", "after", 1),
    ("engine.replay._settle_file", "after", 1),
    ("engine.replay._settle_file", "after", 3),
    ("engine.replay.require_writer", "after", 1),
    ("engine.replay.close_run", "after", 1),
    ("engine.replay._Replay.close", "after", 1),
]
MARCH = "2024-03-05T10:00:00Z"
LAST = ("engine.replay._Replay.close", "after", 1)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows that were refused for a service that is known by now, for what a person corrects, and for good."""
    folder = tmp_path_factory.mktemp("refused") / "feeds"
    february = "2024-02-10T10:00:00Z"
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "clients", [client("C1", "2024-01-01T00:00:00Z"), client("C2", "never"), client("C3", "never")])
    rows = [transaction(n, client_id=f"C{n % 3}") for n in range(10)]
    rows += [transaction(20 + n, client_id=f"C{n % 5}", service_id="S2") for n in range(5)]
    rows += [transaction(30 + n, client_id=f"C{n % 5}", service_id="S2", transaction_ts=february) for n in range(5)]
    rows += [transaction(1, service_id="S2", status="REVERSED", updated_at=february)]
    rows += [transaction(2, service_id="S2", amount="5"), transaction(3, amount="NaN"), transaction(40, amount="bad")]
    write_feed(folder, "transactions", rows)
    write_feed(folder, "fraud_labels", [label(1), label(2, is_fraud="x"), label(3, is_fraud="x")])
    return folder


@pytest.fixture(scope="module")
def loaded(template_database: tuple[str, str], feeds: Path) -> Iterator[tuple[str, str]]:
    """The database that each test gets a copy of: the feeds are in, and then the service came."""
    with copied_database(*template_database) as url:
        load(feeds, url)
        later = feeds.parent / "later"
        write_feed(later, "services", [{**SERVICE, "service_id": "S2"}])
        load(later, url)
        yield template_database[0], url.split("/")[3].split("?")[0]


@pytest.fixture
def url(loaded: tuple[str, str]) -> Iterator[str]:
    with copied_database(*loaded) as copy:
        yield copy


@pytest.fixture(scope="module")
def corrected(loaded: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Exported rows, some of them corrected."""
    folder = tmp_path_factory.mktemp("corrected") / "files"
    with copied_database(*loaded) as url:
        export(url, folder)
    changes = {
        "transactions": [(",bad,", ",77,")],
        "clients": [("never", "2024-01-02T00:00:00Z")],
        "fraud_labels": [("T2,x,", "T2,1,")],
    }
    for name, replaced in changes.items():
        path = folder / f"{name}.csv"
        text = path.read_text(encoding="utf-8-sig")
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8-sig")
    # One file a form; in one replay, so that it has rows of every feed.
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def expected(loaded: tuple[str, str]) -> dict[str, str]:
    """The state after an undisturbed replay."""
    with copied_database(*loaded) as url:
        summary = replay(url)
        assert (summary.rows.loaded, summary.rows.updated, summary.rows.rejected) == (10, 1, 7)
        return state(url)


@pytest.mark.parametrize("point", places(POINTS), ids=name_of)
def test_the_same_command_again_finishes_the_work(
    url: str, feeds: Path, expected: dict[str, str], point: tuple[str, str, int]
) -> None:
    target, when, call = point
    before, original = len(open_rows(url)), pkgutil.resolve_name(_resolvable(target))
    # Parts that a replay of these rows has no use for are not reached.
    with mock.patch(target, dying(original, when, call)):
        try:
            replay(url)
            reached = False
        except Killed:
            reached = True
    assert reached or target.startswith(("engine.publish._dim", "engine.clients"))
    if reached and point != LAST:
        assert len(open_rows(url)) == before
        replay(url)
    assert state(url) == expected
    assert (accounts(url), differs(url, feeds)) == ([], [])
    assert_summary_agrees(url)


def _resolvable(target: str) -> str:
    module, _, name = target.rpartition(".")
    return f"engine.replay:_Replay.{name}" if module.endswith("_Replay") else f"{module}:{name}"


CORRECTED_POINTS = [
    ("engine.publish._dimensions", "after", 1),
    ("engine.clients.store_identities", "after", 1),
    ("engine.publish._labels", "after", 1),
    ("engine.merge.record_work", "after", 1),
    ("engine.publish.merge", "after", 1),
    ("engine.replay._settle_file", "after", 1),
    ("engine.replay._Replay.close", "after", 1),
]


@pytest.mark.parametrize("point", places(CORRECTED_POINTS), ids=name_of)
def test_corrected_files_that_are_sent_again_after_a_kill(
    url: str, loaded: tuple[str, str], corrected: list[Path], point: tuple[str, str, int]
) -> None:
    target, when, call = point
    original, killed = pkgutil.resolve_name(_resolvable(target)), 0
    for path in corrected:
        with mock.patch(target, dying(original, when, call)):
            try:
                replay(url, corrected=path)
            except Killed:
                killed += 1
        replay(url, corrected=path)
    assert killed
    with copied_database(*loaded) as undisturbed:
        for path in corrected:
            replay(undisturbed, corrected=path)
            again = replay(undisturbed, corrected=path)
            assert again.rows.loaded + again.rows.updated == 0
        wanted = state(undisturbed)
    # How often rows that stay refused were tried depends on whether the first attempt came to its end.
    assert {**state(url), "quarantine": ""} == {**wanted, "quarantine": ""}
    assert accounts(url) == []


def test_other_work_in_between_does_no_harm(url: str, feeds: Path, loaded: tuple[str, str], tmp_path: Path) -> None:
    """Another choice of rows, and a load, after a replay that died when its rows had landed."""
    write_feed(
        tmp_path,
        "transactions",
        [transaction(900, transaction_ts=MARCH), transaction(20, service_id="S2", status="PENDING")],
    )
    merge = pkgutil.resolve_name("engine.publish:merge")
    with mock.patch("engine.publish.merge", dying(merge, "after", 1)), pytest.raises(Killed):
        replay(url)
    load(tmp_path, url)
    replay(url, selection=Selection(feed="transactions", reason="amount_invalid"))
    summary = replay(url)
    # What had landed is there; it is not counted as new once more.
    assert (summary.rows.loaded, summary.rows.updated, summary.rows.repeated) == (0, 0, 11)
    with copied_database(*loaded) as undisturbed:
        replay(undisturbed)
        load(tmp_path, undisturbed)
        assert state(url)["fact"] == state(undisturbed)["fact"]
    assert (accounts(url), differs(url, feeds)) == ([], [])


def test_what_became_good_after_a_kill_lands_too(url: str, feeds: Path, tmp_path: Path) -> None:
    """The same rows, of which more are good than in the run that died: it is other work, and nothing is stuck."""
    execute(url, "UPDATE dwh.dim_service SET service_id = 'S2-hidden' WHERE service_id = 'S2'")
    rows = [transaction(60, service_id="S3", transaction_ts=MARCH), transaction(61, amount="x")]
    write_feed(tmp_path / "a", "services", [{**SERVICE, "service_id": "S4"}])
    write_feed(tmp_path / "a", "transactions", [*rows, transaction(62, service_id="S5")])
    load(tmp_path / "a", url)
    write_feed(tmp_path / "b", "services", [{**SERVICE, "service_id": "S3"}])
    load(tmp_path / "b", url)
    attach = pkgutil.resolve_name("engine.publish:attach")
    with mock.patch("engine.publish.attach", dying(attach, "after", 1)), pytest.raises(Killed):
        replay(url)
    execute(url, "UPDATE dwh.dim_service SET service_id = 'S2' WHERE service_id = 'S2-hidden'")
    summary = replay(url)
    assert (summary.status, summary.rows.loaded, summary.rows.repeated) == ("done", 10, 1)
    assert (accounts(url), differs(url, feeds)) == ([], [])


PLAN = SamplePlan(rows=6_000, months=3, dirty_share=0.2, duplicate_share=0.02, update_share=0.03)
# After which line of progress the process dies, and within how many seconds.
INSTANTS = (("1 Discover", 0.3), ("2 Read", 0.2), ("4 Dimensions", 0.1), ("4 Dimensions", 0.2), ("6 Load", 0.1))
SEED = 20240116


@pytest.fixture
def dirty_url(database_url: str) -> str:
    """A sample, some services of which came too late."""
    folder = sample_folder(PLAN)
    load(folder, database_url)
    unknown = "SELECT count(*) FROM ops.quarantine WHERE 'service_id_unknown' = ANY (reasons)"
    assert rows_of(database_url, unknown) != [(0,)]
    return database_url


def test_a_process_killed_at_many_instants_ends_as_if_undisturbed(dirty_url: str, tmp_path: Path) -> None:
    write_feed(
        tmp_path / "late",
        "services",
        [{**SERVICE, "service_id": name} for name in ("SVC-999", "XXX", "SAL_BULK")],
    )
    load(tmp_path / "late", dirty_url)
    dice, killed = random.Random(SEED), 0
    for line, within in INSTANTS:
        with cauri_process("quarantine", "replay", url=dirty_url, home=tmp_path) as process:
            assert process.stderr is not None
            for text in process.stderr:
                if text.startswith(line):
                    break
            time.sleep(dice.uniform(0, within))
            killed += process.poll() is None
            process.kill()
    assert killed >= 2
    done = cauri("quarantine", "replay", "--quiet", url=dirty_url, home=tmp_path)
    assert done.code == 0, done.told
    assert not [row for row in open_rows(dirty_url) if row.reasons == ["service_id_unknown"]]
    assert (accounts(dirty_url), differs(dirty_url, sample_folder(PLAN))) == ([], [])
    assert_summary_agrees(dirty_url)
    again = "SELECT count(*) - count(DISTINCT transaction_id) FROM dwh.fact_transactions"
    assert rows_of(dirty_url, again) == [(0,)]
