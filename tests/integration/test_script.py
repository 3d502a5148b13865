"""The SQL of a plan, run by hand on a table that nobody uses, gives what apply gives."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from partitions.actions import Site
from partitions.apply import apply, read_plan
from partitions.policy import Policy
from partitions.script import script
from tests.database import copied_database
from tests.loading import execute, rows_of
from tests.partitioned import left_behind
from warehouse.connection import connect

TODAY = date(2024, 5, 15)
MOST_ROUNDS = 5

Prepare = Callable[[str], None]


def events(**changes: Any) -> Policy:
    values = {"schema": "dwh", "table": "events", "key": "moment", "key_kind": "timestamptz", "unique": [["id"]]}
    return Policy.model_validate({**values, "premake": 1, **changes})


def ordinary(url: str) -> None:
    execute(url, "CREATE TABLE dwh.events (id bigserial PRIMARY KEY, moment timestamptz NOT NULL, note text,"
                 " tag integer GENERATED ALWAYS AS IDENTITY)")  # fmt: skip
    execute(url, "CREATE INDEX events_note ON dwh.events (note DESC, moment)")
    execute(url, "COMMENT ON TABLE dwh.events IS 'What happened; all of it.'")
    execute(url, "GRANT SELECT (id, note), INSERT ON dwh.events TO PUBLIC")
    execute(url, "CREATE VIEW dwh.noted WITH (security_barrier = true) AS SELECT * FROM dwh.events WHERE note <> ''")
    fill(url)


def partitioned(url: str) -> None:
    execute(url, "CREATE TABLE dwh.kind (kind_id integer PRIMARY KEY)")
    execute(url, "INSERT INTO dwh.kind VALUES (1)")
    execute(url, "CREATE TABLE dwh.events (id bigint NOT NULL, moment timestamptz NOT NULL, note text, kind_id integer"
                 " DEFAULT 1 REFERENCES dwh.kind, size bigint GENERATED ALWAYS AS (id * 2) STORED)"
                 " PARTITION BY RANGE (moment)")  # fmt: skip
    execute(url, "CREATE INDEX events_note ON dwh.events (note DESC, moment) WHERE note <> ''")
    for month in range(1, 7):
        days = f"FROM ('2024-0{month}-01 00:00+00') TO ('2024-0{month + 1}-01 00:00+00')"
        execute(url, f"CREATE TABLE dwh_parts.events_2024_0{month} PARTITION OF dwh.events FOR VALUES {days}")
    fill(url)


def fill(url: str) -> None:
    execute(url, "INSERT INTO dwh.events (id, moment, note) SELECT n, '2024-01-01 00:00+00'::timestamptz"
                 " + n * interval '1 hour', CASE WHEN n % 3 = 0 THEN NULL ELSE 'x' || n END"
                 " FROM generate_series(1, 3000) n")  # fmt: skip


def with_a_default(url: str) -> None:
    partitioned(url)
    execute(url, "CREATE TABLE dwh_parts.rest PARTITION OF dwh.events DEFAULT")
    execute(url, "INSERT INTO dwh.events (id, moment) SELECT n, '2023-11-05' FROM generate_series(9001, 9040) n")


def with_an_orphan(url: str) -> None:
    partitioned(url)
    execute(url, "ALTER TABLE dwh.events DETACH PARTITION dwh_parts.events_2024_02")
    execute(url, "DROP INDEX dwh_parts.events_2024_02_note_moment_idx")


def with_leftovers(url: str) -> None:
    partitioned(url)
    execute(url, "CREATE TABLE staging.events_2024_02 (LIKE dwh.events)")
    execute(url, "CREATE UNLOGGED TABLE staging.events_changes (LIKE dwh.events)")
    execute(url, "GRANT SELECT ON dwh_parts.events_2024_03 TO PUBLIC")


def without_an_index(url: str) -> None:
    partitioned(url)
    execute(url, "CREATE INDEX events_size ON ONLY dwh.events (size DESC, id)")


SITUATIONS: dict[str, tuple[Prepare, Policy, str]] = {
    "create": (partitioned, events(premake=3), "create"),
    "attach": (with_an_orphan, events(), "attach"),
    "clear": (with_leftovers, events(), "clear"),
    "index": (without_an_index, events(), "complete index"),
    "archive": (partitioned, events(at_end="archive", retention={"months": 3}), "archive"),
    "drop": (partitioned, events(at_end="drop", retention={"months": 3}), "drop"),
    "change grain": (partitioned, events(grain="week", regrain=True), "change grain"),
    "rescue": (with_a_default, events(), "rescue"),
    "adopt": (ordinary, events(), "adopt"),
}


def described(url: str) -> dict[str, Any]:
    """Tables, columns, constraints, indexes, rights and rows, as a person would compare two databases."""
    tables = (
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('dwh_parts', 'dwh')"
    )
    return {
        "tables": rows_of(
            url,
            "SELECT c.oid::regclass::text, pg_get_expr(relpartbound, c.oid), relacl::text, obj_description(c.oid),"
            f" reloptions::text FROM pg_class c WHERE relkind IN ('r', 'p', 'v') AND c.oid IN ({tables}) ORDER BY 1",
        ),
        "columns": rows_of(
            url,
            "SELECT attrelid::regclass::text, attname, attnotnull, attidentity, attgenerated, attacl::text,"
            " pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid"
            f" AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped AND attrelid IN ({tables}) ORDER BY 1, 2",
        ),
        "constraints": rows_of(
            url,
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
            f" WHERE contype <> 'n' AND conrelid IN ({tables}) ORDER BY 1, 2",
        ),
        "indexes": rows_of(
            url,
            "SELECT pg_get_indexdef(indexrelid), indisvalid, (SELECT inhparent::regclass::text FROM pg_inherits"
            f" WHERE inhrelid = indexrelid) FROM pg_index WHERE indrelid IN ({tables}) ORDER BY 1",
        ),
        "rows": rows_of(url, "SELECT tableoid::regclass::text, t::text FROM dwh.events t ORDER BY 1, 2"),
        "left": left_behind(url),
    }


def run_by_hand(url: str, policy: Policy) -> set[str]:
    """Run the SQL of one plan after the other, as `plan --sql` prints it; return the kinds of steps."""
    done: set[str] = set()
    lines: set[str] = set()
    for _ in range(MOST_ROUNDS):
        with connect(url) as connection:
            found = read_plan(connection, [policy], "UTC", TODAY)
            steps = [step for step in found.steps if step.line not in lines]
            texts = [text for step in steps for phase in script(connection, step, "UTC") for text in phase.script]
        with psycopg.connect(url, autocommit=True) as session:
            for text in texts:
                if not text.startswith("--"):
                    session.execute(text.encode())
        done |= {step.kind for step in steps}
        lines |= {step.line for step in steps}
    return done


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_sql_of_a_plan_does_what_apply_does(template_database: tuple[str, str], tmp_path: Path, name: str) -> None:
    prepare, policy, kind = SITUATIONS[name]
    with copied_database(*template_database) as applied, copied_database(*template_database) as by_hand:
        for url in (applied, by_hand):
            prepare(url)
        with connect(applied) as connection:
            assert apply(Site(connection, applied, "UTC", tmp_path), [policy], today=TODAY).failures == {}
        assert kind in run_by_hand(by_hand, policy)
        found, expected = described(by_hand), described(applied)
        assert {part: found[part] for part in found} == expected
        assert (found["left"], len(found["rows"])) == ([], len(rows_of(applied, "SELECT FROM dwh.events")))


def test_reading_the_sql_changes_nothing(database_url: str) -> None:
    with_a_default(database_url)
    before = described(database_url)
    with connect(database_url) as connection:
        for step in read_plan(connection, [events()], "UTC", TODAY).steps:
            script(connection, step, "UTC")
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)
    assert described(database_url) == before


def test_a_step_that_would_be_refused_says_so(database_url: str) -> None:
    with_a_default(database_url)
    execute(database_url, "CREATE VIEW dwh.strange AS SELECT * FROM dwh_parts.rest")
    with connect(database_url) as connection:
        (step,) = read_plan(connection, [events()], "UTC", TODAY).steps
        (phase,) = script(connection, step, "UTC")
    (line,) = phase.script
    assert line.startswith("-- would be refused: dwh_parts.rest cannot be replaced")
    assert "view dwh.strange" in line
