"""`cauri partitions regrain`, `rescue` and `adopt`, as a person calls them."""

from pathlib import Path

import psycopg
import pytest

from tests.loading import Done, cauri, execute, value_of
from tests.partitioned import (
    COLUMNS,
    EVENTS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    days,
    fill,
    left_behind,
    make_table,
    rows_in,
    spans_of,
    table_of,
)
from warehouse.connection import Connection
from warehouse.lock import single_writer

POLICIES = """
version = 1
[[table]]
schema = "dwh"
table = "payments"
key = "date_key"
unique = [["payment_id"]]
[[table]]
schema = "dwh"
table = "events"
key = "date_key"
"""
# What docs/partitions.md says of a swap.
SWAP = {"action", "table", "leaves_before", "leaves_after", "rows", "locked_ms", "rest_rows"}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    path = tmp_path / "policies.toml"
    path.write_text(POLICIES)
    return path


def run(url: str, policies: Path, *arguments: str) -> Done:
    return cauri("partitions", *arguments, url=url, variables={"CAURI_PARTITIONS": str(policies)})


@pytest.fixture
def payments(connection: Connection) -> None:
    make_table(connection, PAYMENTS, (JANUARY, FEBRUARY), rows_a_day=5)


@pytest.mark.usefixtures("payments")
def test_regrain_all_leaves_and_one(database_url: str, policies: Path) -> None:
    done = run(database_url, policies, "regrain", "payments", "--grain", "day", "--leaf", "2024-01", "--json")
    assert (done.code, done.json["swaps"][0]["rows"]) == (0, 155), done.told
    assert set(done.json) == {"status", "swaps"}
    assert set(done.json["swaps"][0]) == SWAP
    assert spans_of(database_url, PAYMENTS) == [*days(JANUARY), FEBRUARY]
    done = run(database_url, policies, "regrain", "dwh.payments", "--grain", "month")
    assert done.code == 0, done.told
    assert "payments_2024_01_01 to payments_2024_01_31 (31) -> payments_2024_01: 155 rows" in done.out
    assert spans_of(database_url, PAYMENTS) == [JANUARY, FEBRUARY]
    assert run(database_url, policies, "regrain", "payments", "--grain", "month").code == 99
    done = run(database_url, policies, "regrain", "payments", "--grain", "quarter")
    assert [str(span) for span in spans_of(database_url, PAYMENTS)] == ["2024-q1"], done.told


@pytest.mark.usefixtures("payments")
def test_a_dry_run_says_the_locks_and_the_sql_and_changes_nothing(database_url: str, policies: Path) -> None:
    done = run(database_url, policies, "regrain", "payments", "--grain", "week", "--dry-run")
    assert done.code == 0, done.told
    for words in (
        "SHARE ROW EXCLUSIVE on it, in turns of 100ms",
        'CREATE TRIGGER "cauri_capture"',
        'DETACH PARTITION "dwh_parts"."payments_2024_01";',
        "FOR VALUES FROM (20240101) TO (20240108);",
    ):
        assert words in done.out
    assert spans_of(database_url, PAYMENTS) == [JANUARY, FEBRUARY]
    planned = run(database_url, policies, "regrain", "payments", "--grain", "week", "--dry-run", "--json").json
    assert all(phase["sql"] for phase in planned["phases"])
    *_, swap = planned["phases"]
    assert (swap["sql"][0], swap["sql"][-1]) == ("BEGIN", "COMMIT")


@pytest.mark.usefixtures("payments")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("regrain", "payment", "--grain", "day"), 2, "did you mean"),
        (("regrain", "payments", "--grain", "hour"), 2, "hour"),
        (("regrain", "payments", "--grain", "day", "--leaf", "2024-09"), 2, "has no leaf 2024-09"),
        (("rescue", "payments"), 99, "no DEFAULT partition"),
        (("adopt", "payments"), 99, "is partitioned"),
        (("adopt", "payments", "dwh.nothing"), 1, "no table dwh.nothing"),
    ],
)
def test_what_cannot_be_done(
    database_url: str, policies: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(database_url, policies, *arguments)
    assert (done.code, words in done.told, "Traceback" in done.told) == (code, True, False), done.told


@pytest.mark.usefixtures("payments")
def test_another_run_that_writes_is_not_disturbed(database_url: str, policies: Path) -> None:
    with single_writer(database_url):
        done = run(database_url, policies, "regrain", "payments", "--grain", "day")
    assert done.code == 75, done.told


def test_rescue(database_url: str, policies: Path, connection: Connection) -> None:
    make_table(connection, EVENTS)
    connection.execute("CREATE TABLE dwh_parts.events_default PARTITION OF dwh.events DEFAULT")
    fill(connection, "dwh.events", JANUARY, 2)
    execute(database_url, "INSERT INTO dwh.events VALUES (1, 20240231, 1, 1, 'no day'), (2, 20241399, 1, 1, 'no day')")
    dry = run(database_url, policies, "rescue", "events", "--dry-run")
    assert 'CREATE TABLE "staging"."events_2024_01"' in dry.out, dry.told
    done = run(database_url, policies, "rescue", "events")
    assert done.code == 0, done.told
    assert "2 row(s) whose key is no day stay" in done.err
    assert spans_of(database_url, EVENTS) == [JANUARY]
    assert run(database_url, policies, "rescue", "events").code == 3


def test_adopt_a_table_and_a_leaf(database_url: str, policies: Path, connection: Connection) -> None:
    connection.execute(f"CREATE TABLE dwh.events ({COLUMNS})")
    for span in (FEBRUARY, MARCH):
        fill(connection, "dwh.events", span, 3)
    before = rows_in(database_url, EVENTS)
    dry = run(database_url, policies, "adopt", "events", "--dry-run")
    assert "ADD CONSTRAINT" in dry.out, dry.told
    assert table_of(database_url, EVENTS).unpartitioned
    done = run(database_url, policies, "adopt", "events")
    assert done.code == 0, done.told
    assert rows_in(database_url, EVENTS) == before
    connection.execute(f"CREATE TABLE dwh.by_hand ({COLUMNS})")
    fill(connection, "dwh.by_hand", JANUARY, 3)
    dry = run(database_url, policies, "adopt", "events", "by_hand", "--dry-run", "--json")
    assert dry.json["phases"][-1]["sql"], dry.told
    done = run(database_url, policies, "adopt", "events", "by_hand", "--json")
    assert (done.code, done.json["leaf"]) == (0, "dwh_parts.events_2024_01"), done.told
    assert set(done.json) == {"status", "table", "source", "leaf", "swaps"}
    assert value_of(database_url, "SELECT count(*) FROM dwh.events WHERE date_key < 20240401") == 91 * 3
    assert left_behind(database_url) == []


def test_apply_adopts_and_rescues(database_url: str, policies: Path, connection: Connection) -> None:
    connection.execute(f"CREATE TABLE dwh.payments ({COLUMNS})")
    fill(connection, "dwh.payments", JANUARY, 3)
    make_table(connection, EVENTS)
    connection.execute("CREATE TABLE dwh_parts.events_default PARTITION OF dwh.events DEFAULT")
    fill(connection, "dwh.events", JANUARY, 2)
    done = run(database_url, policies, "apply")
    assert done.code == 0, done.told
    assert spans_of(database_url, PAYMENTS)[0] == JANUARY
    assert (spans_of(database_url, EVENTS)[0], table_of(database_url, EVENTS).default) == (JANUARY, None)
    assert [value_of(database_url, f"SELECT count(*) FROM dwh.{name}") for name in ("payments", "events")] == [93, 62]
    with psycopg.connect(database_url) as session:
        steps = session.execute("SELECT kind FROM ops.partition_step WHERE kind IN ('adopt', 'rescue') ORDER BY 1")
        assert steps.fetchall() == [("adopt",), ("rescue",)]
