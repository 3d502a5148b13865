"""Thirty nights with every kind of trouble: in the end the warehouse says what truth.json says, and what one load says.

Compared: every row of every file has an outcome; facts and money by currency, status and month with truth.json; all
tables with one bulk load of all the files; the files with `cauri compare`. Only the split of good rows into loaded,
updated and repeated depends on the order in which they came. `CAURI_TEST_KILLS=100` (`just faults`) takes more rows.
"""

import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.faults.killing import kills
from tests.faults.rounds import BROKEN_INDEXES, ORPHANS, commanded, wait_for_sessions_to_end
from tests.integration import test_load as loaded_tests
from tests.integration.test_load import Loaded
from tests.loading import cauri, content, load, new_folder, rows_of, sample_folder, sealed, truth_of, value_of
from tests.nights import NIGHTS, Nights

# On a busy machine a night takes ten times as long as on one that is not.
pytestmark = pytest.mark.timeout(1800)

SEED = 30
ROWS = 4_000 if kills(4) <= 4 else 200_000
PLAN = SamplePlan(rows=ROWS, months=6, dialect="mixed", dirty_share=0.02, duplicate_share=0.03, update_share=0.05)
SETTLE_SECONDS = 3600

# What happens in which night; all others go well.
KILLED, TERMINATED, AWAY, BROKEN_OFF = (5, 13, 21, 26), (9, 17), (11, 25), (4, 12, 20)
# After these, the same command is run again before the next files come.
RUN_AGAIN = (13, 17, 26)


@dataclass(frozen=True)
class Past:
    """A warehouse after thirty nights, and one that was loaded at once."""

    url: str
    bulk: str
    nights: Nights
    truth: dict[str, Any]
    told: list[str]


def night_of(folder: Path) -> list[str]:
    return ["nightly", str(folder), "--settle", str(SETTLE_SECONDS), "--quiet"]


@pytest.fixture(scope="module")
def past(template_database: tuple[str, str]) -> Iterator[Past]:
    nights = Nights(sample_folder(PLAN), new_folder("nights") / "feeds", SEED)
    home, told = new_folder("home"), list[str]()
    with copied_database(*template_database) as url, copied_database(*template_database) as bulk:
        for night in range(1, NIGHTS + 1):
            nights.arrive(night)
            told.append(f"{night}: {pass_night(nights, night, url, home)}")
        load(nights.folder, bulk)
        yield Past(url, bulk, nights, truth_of(nights.sample), told)


def pass_night(nights: Nights, night: int, url: str, home: Path) -> str:
    """One night; returns what happened."""
    if night in AWAY:
        done = cauri(*night_of(nights.folder), url="postgresql://cauri@127.0.0.1:1/cauri", home=home)
        assert done.code == 75, done.told
        return "the database was away"
    if night in (*KILLED, *TERMINATED):
        number = signal.SIGKILL if night in KILLED else signal.SIGTERM
        happened = f"signal {number}, {stop_at_random(nights, night, url, home, number)}"
        wait_for_sessions_to_end(url)
        if night not in RUN_AGAIN:
            return happened
    else:
        happened = "done"
    unfinished = {nights.break_off(night)} if night in BROKEN_OFF else set()
    done = cauri(*night_of(nights.folder), "--json", url=url, home=home)
    assert done.code in (0, 99), done.told
    assert {text.split(" ", 1)[0] for text in done.json["unfinished_files"]} == unfinished
    return happened


def stop_at_random(nights: Nights, night: int, url: str, home: Path, number: int) -> str:
    """Send a signal at the end of a step that the night draws, or a little later."""
    dice = random.Random(night)
    edge = f"{dice.choice(('begin', 'end'))} {dice.choice((2, 4, 5, 6, 8, 9))}"
    with commanded(night_of(nights.folder), url, home, edge) as run:
        run.go_on()
        assert run.is_held()
        if number == signal.SIGTERM:
            run.go_on()
        run.process.send_signal(number)
        _, err = run.rest()
        assert run.process.returncode == (75 if number == signal.SIGTERM else -number), err
    return edge


def test_every_row_of_every_file_has_an_outcome(past: Past) -> None:
    for url in (past.url, past.bulk):
        files = rows_of(url, "SELECT file_name, rows_read, rows_loaded + rows_updated + rows_repeated + rows_rejected"
                             " FROM ops.file")  # fmt: skip
        assert {name: read for name, read, _ in files} == past.nights.rows_of
        assert [name for name, read, outcomes in files if read != outcomes] == []


def test_good_and_bad_rows_are_those_of_the_truth(past: Past) -> None:
    for url in (past.url, past.bulk):
        counted = rows_of(
            url,
            "SELECT feed, sum(rows_read)::int, sum(rows_rejected)::int FROM ops.file"
            " WHERE file_name NOT LIKE %s AND file_name NOT LIKE %s GROUP BY 1",
            "%\\_z%",
            "%\\_x.csv",
        )
        expected = {feed: (counts["read"], counts["rejected"]) for feed, counts in past.truth["feeds"].items()}
        assert {feed: (read, rejected) for feed, read, rejected in counted} == expected
        refused = rows_of(
            url,
            "SELECT feed, unnest(reasons), count(*) FROM ops.quarantine WHERE file_name NOT LIKE %s GROUP BY 1, 2",
            "%\\_z%",
        )
        assert {(feed, reason): rows for feed, reason, rows in refused} == {
            (feed, reason): rows
            for feed, counts in past.truth["feeds"].items()
            for reason, rows in counts["rejected_by_reason"].items()
        }


CHECKS = (
    loaded_tests.test_money_is_exact_by_currency_and_status,
    loaded_tests.test_money_is_exact_by_month,
    loaded_tests.test_labels_are_those_of_the_files,
    loaded_tests.test_nothing_stays_in_staging,
    loaded_tests.test_each_leaf_has_its_unique_index,
    loaded_tests.test_a_transaction_stands_once_in_the_whole_table,
    loaded_tests.test_days_and_minutes_are_those_of_the_business_zone,
    loaded_tests.test_the_daily_summary_is_that_of_the_fact,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_warehouse_says_what_the_truth_says(past: Past, check: Any) -> None:
    for url in (past.url, past.bulk):
        check(Loaded(url, past.nights.sample, past.truth, None))  # type: ignore[arg-type]


def test_the_warehouse_equals_one_that_was_loaded_at_once(past: Past) -> None:
    assert content(past.url) == content(past.bulk)
    key = "identity, opened"
    assert sealed(past.url)[key] == sealed(past.bulk)[key]
    assert rows_of(past.url, ORPHANS) == []
    assert rows_of(past.url, BROKEN_INDEXES) == []


def test_the_files_agree_with_the_warehouse(past: Past) -> None:
    for url in (past.url, past.bulk):
        compared = cauri("compare", past.nights.folder, url=url)
        assert compared.code == 0, compared.told


def test_there_was_trouble_enough(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    runs: Counter[str] = Counter(dict(rows_of(past.url, "SELECT status, count(*) FROM ops.run GROUP BY 1")))
    assert runs["done"] >= NIGHTS - len((*KILLED, *TERMINATED, *AWAY))
    assert runs["running"] >= 1
    assert runs["stopped"] >= 1
    late = value_of(past.url, "SELECT count(*) FROM ops.restated_range")
    assert late > 0
    outcomes = rows_of(past.url, "SELECT sum(rows_loaded)::int, sum(rows_updated)::int, sum(rows_repeated)::int,"
                                 " sum(rows_rejected)::int, count(*)::int FROM ops.file")  # fmt: skip
    assert all(outcomes[0])
    with capsys.disabled():
        sys.stdout.write("\n{4} files: {0} loaded, {1} updated, {2} repeated, {3} rejected\n".format(*outcomes[0]))
        sys.stdout.write(f"{'; '.join(each for each in past.told if not each.endswith('done'))}\n")
