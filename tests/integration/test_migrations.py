"""The schema: what it holds, how it is brought up to date, and that every named query fits it."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from engine.dashboard_tables import NAMES as DASHBOARD_TABLES
from tests.database import copied_database
from tests.loading import execute, rows_of, value_of
from warehouse import migrations
from warehouse.errors import TargetError, TransientTargetError
from warehouse.lock import single_writer
from warehouse.migrations import migrate, pending, scripts
from warehouse.queries import SCHEMA_FOLDER, query, query_names

SCHEMAS = ["staging", "dwh", "dwh_parts", "vault", "ml", "audit", "ops"]
TABLES = {
    "dwh": "dim_date dim_time dim_client dim_service dim_channel dim_location dim_beneficiary dim_currency dim_status"
    " fact_transactions fact_daily_client_summary",
    "ml": "fraud_label fraud_score client_segment",
    "ops": "run step file leaf leaf_hold quarantine dirty_range migration setting",
    "vault": "client_identity",
    "audit": "access_log",
}


@pytest.fixture
def schema_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `schema/` that the test may change, in the place of the real one."""
    folder = tmp_path / "schema"
    shutil.copytree(SCHEMA_FOLDER, folder)
    monkeypatch.setattr(migrations, "SCHEMA_FOLDER", folder)
    return folder


@pytest.fixture
def empty_url(template_database: tuple[str, str]) -> Iterator[str]:
    """A database without a schema."""
    with copied_database(template_database[0], "template0") as url:
        yield url


@pytest.fixture(scope="module")
def shared_url(template_database: tuple[str, str]) -> Iterator[str]:
    with copied_database(*template_database) as url:
        yield url


@pytest.mark.parametrize(("schema", "tables"), TABLES.items(), ids=TABLES)
def test_tables_of_the_design_exist(shared_url: str, schema: str, tables: str) -> None:
    found = rows_of(
        shared_url,
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
        schema,
    )
    assert set(tables.split()) <= {name for (name,) in found}


def test_everything_has_a_comment(database_url: str) -> None:
    bare = rows_of(
        database_url,
        """
        SELECT n.nspname FROM pg_namespace n
        WHERE n.nspname = ANY (%(schemas)s) AND obj_description(n.oid, 'pg_namespace') IS NULL
        UNION ALL
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm') AND obj_description(c.oid) IS NULL
        UNION ALL
        SELECT c.oid::regclass || '.' || a.attname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND col_description(c.oid, a.attnum) IS NULL
        """.replace("%(schemas)s", "ARRAY['" + "','".join(SCHEMAS) + "']"),
    )
    assert bare == []


def test_partitioned_parents_have_no_default_and_no_unique_index(database_url: str) -> None:
    parents = rows_of(
        database_url,
        "SELECT partrelid::regclass::text, partdefid FROM pg_partitioned_table ORDER BY 1",
    )
    assert ("dwh.fact_transactions", 0) in parents
    assert {default for _, default in parents} == {0}
    unique = rows_of(database_url, "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
                     " WHERE indisunique AND c.relkind = 'p'")  # fmt: skip
    # The key of the access log holds its partition key.
    assert unique == [("audit.access_log_pkey",)]


def test_a_second_time_applies_nothing(database_url: str) -> None:
    before = rows_of(database_url, "SELECT name, checksum, applied_at FROM ops.migration ORDER BY name")
    assert migrate(database_url) == []
    assert rows_of(database_url, "SELECT name, checksum, applied_at FROM ops.migration ORDER BY name") == before


def test_an_empty_database_gets_everything(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        assert pending(connection) == [script.name for script in scripts()]
    assert migrate(empty_url) == [script.name for script in scripts()]
    with psycopg.connect(empty_url) as connection:
        assert pending(connection) == []


def test_two_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = sorted(pool.map(migrate, [empty_url] * 4), key=len)
    assert applied == [[], [], [], [script.name for script in scripts()]]


def test_an_edited_migration_is_refused(database_url: str, schema_folder: Path) -> None:
    path = schema_folder / "migrations" / "0001_schemas.sql"
    path.write_text(path.read_text() + "\nCREATE SCHEMA smuggled;\n")
    with pytest.raises(TargetError, match=r"0001_schemas\.sql.*another text"):
        migrate(database_url)
    assert value_of(database_url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'smuggled'") == 0


def test_a_changed_view_is_applied_again(database_url: str, schema_folder: Path) -> None:
    path = schema_folder / "views" / "010_v_transactions.sql"
    path.write_text(path.read_text().replace("with names and decimals", "told anew"))
    with psycopg.connect(database_url) as connection:
        assert pending(connection) == ["010_v_transactions.sql"]
    assert migrate(database_url) == ["010_v_transactions.sql"]
    assert "told anew" in value_of(database_url, "SELECT obj_description('dwh.v_transactions'::regclass)")
    assert migrate(database_url) == []


def test_each_view_can_be_applied_again(database_url: str, schema_folder: Path) -> None:
    views = sorted((schema_folder / "views").glob("*.sql"))
    for path in views:
        path.write_text(path.read_text() + "\n-- changed\n")
    assert migrate(database_url) == [path.name for path in views]


def test_a_new_migration_is_applied_alone(database_url: str, schema_folder: Path) -> None:
    (schema_folder / "migrations" / "9999_more.sql").write_text("CREATE TABLE ops.more ();")
    assert migrate(database_url) == ["9999_more.sql"]


def test_a_warehouse_of_a_newer_cauri_is_left_alone(database_url: str, schema_folder: Path) -> None:
    later, view = schema_folder / "migrations" / "9999_more.sql", schema_folder / "views" / "010_v_transactions.sql"
    later.write_text("CREATE TABLE ops.more ();")
    migrate(database_url)
    later.unlink()
    view.write_text(view.read_text().replace("with names and decimals", "as it used to be"))
    with pytest.raises(TargetError, match=r"newer Cauri: it has 9999_more\.sql"):
        migrate(database_url)
    assert "with names" in value_of(database_url, "SELECT obj_description('dwh.v_transactions'::regclass)")


@pytest.mark.parametrize("name", ["migrations/9999_more.sql", "views/999_more.sql"])
def test_the_schema_does_not_change_under_a_run(name: str, database_url: str, schema_folder: Path) -> None:
    (schema_folder / name).write_text("CREATE VIEW dwh.more AS SELECT 1 AS one;")
    with single_writer(database_url):
        with pytest.raises(TransientTargetError, match="older Cauri is writing"):
            migrate(database_url)
        assert value_of(database_url, "SELECT to_regclass('dwh.more')") is None
    assert migrate(database_url) == [Path(name).name]


def test_versions_from_before_events_were_kept_become_events(empty_url: str, schema_folder: Path) -> None:
    migration = schema_folder / "migrations" / "0011_client_events.sql"
    text = migration.read_text()
    migration.unlink()
    migrate(empty_url)
    execute(
        empty_url,
        """
        INSERT INTO dwh.dim_client
        SELECT key, 1, ref::bytea, 'CODE', 'CORPORATE', 'SMALL', risk, NULL, 'CI', NULL, 2::smallint, NULL,
               begin::timestamptz, until::timestamptz, until IS NULL, '2024-06-01', inferred, 1
        FROM (VALUES (1, 'a', 'LOW', '2024-01-01', '2024-02-01', false), (2, 'a', 'HIGH', '2024-02-01', NULL, false),
                     (3, 'b', 'UNKNOWN', '1900-01-01', NULL, true)) AS v (key, ref, risk, begin, until, inferred)
        """,
    )
    migration.write_text(text)
    migrate(empty_url)
    events = "SELECT event_id, client_ref, risk_level, country_code, effective_at = updated_at FROM ops.client_event"
    assert rows_of(empty_url, events) == [(1, b"a", "LOW", "CI", True), (2, b"a", "HIGH", "CI", True)]


def test_a_failing_migration_leaves_nothing(database_url: str, schema_folder: Path) -> None:
    (schema_folder / "migrations" / "9998_good.sql").write_text("CREATE TABLE ops.good ();")
    (schema_folder / "migrations" / "9999_bad.sql").write_text("CREATE TABLE ops.bad (; -- mistake")
    with pytest.raises(TargetError, match="syntax error"):
        migrate(database_url)
    assert value_of(database_url, "SELECT to_regclass('ops.good')") is None
    assert value_of(database_url, "SELECT count(*) FROM ops.migration WHERE name LIKE '999%'") == 0


def test_a_read_only_database_is_refused_if_something_is_to_be_done(database_url: str, schema_folder: Path) -> None:
    name = value_of(database_url, "SELECT current_database()")
    execute(
        database_url, sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(name))
    )
    assert migrate(database_url) == []
    (schema_folder / "migrations" / "9999_more.sql").write_text("CREATE TABLE ops.more ();")
    with pytest.raises(TargetError, match="read-only"):
        migrate(database_url)


def test_a_role_that_may_only_read_opens_what_is_up_to_date(database_url: str) -> None:
    user = next(part for part in urlsplit(database_url).query.split("&") if part.startswith("user="))
    url = database_url.replace(user, "user=reading_role")
    execute(database_url, "CREATE ROLE reading_role LOGIN")
    try:
        with pytest.raises(TargetError, match="permission denied") as caught:
            migrate(url)
        assert "that right" in caught.value.remedy
        execute(database_url, "GRANT pg_read_all_data TO reading_role")
        assert migrate(url) == []
    finally:
        execute(database_url, "DROP ROLE reading_role")


def test_a_database_that_holds_something_else(empty_url: str) -> None:
    execute(empty_url, "CREATE SCHEMA dwh")
    with pytest.raises(TargetError, match='"dwh" already exists') as caught:
        migrate(empty_url)
    assert "a database of its own" in caught.value.remedy


STAGES = (
    "aggregates/stage_changed_cells",
    "dashboards/stage_cases",
    "dashboards/stage_changed_clients",
    "dashboards/stage_changed_labels",
    "dimensions/drop_beneficiary_keys",
    "dimensions/stage_client_versions",
    "dimensions/stage_first_days",
    "labels/stage",
    "merge/stage",
    "merge/stage_meeting",
    "merge/stage_replaced",
    "quarantine/stage",
    "quarantine/stage_replayed",
    "restate/stage",
    "restate/stage_stale",
    "scores/stage",
    "vault/stage_identities",
    "verify/stage",
)
# What ADBC makes of the rows of a batch.
BATCHES = """
CREATE TEMPORARY TABLE incoming
    (seq bigint, transaction_id text, beneficiary_ref bytea, client_ref bytea, part bigint);
CREATE TEMPORARY TABLE id_part (part bigint, block bigint, lowest text, highest text);
CREATE TEMPORARY TABLE id_block (block bigint, lowest text, highest text);
"""
NAMES = {
    "{leaf}": {
        "aggregates/total_leaf": "dwh.fact_daily_client_summary",
        "aggregates/total_new_leaf": "dwh.fact_daily_client_summary",
        "": "dwh.fact_transactions",
    },
    "{view}": {"": "dwh.mv_daily_kpi"},
    "{table}": {
        "dashboards/delete_month": "dwh.active_month",
        "scores/delete_days": "ml.fraud_score",
        "scores/delete_staged": "ml.shadow_score",
        "": "dwh.activity_day",
    },
    "{stored}": {"": "dwh.activity_day"},
    "{computed}": {"": "dwh.activity_day"},
    **{f"{{{name}}}": {"": f"dwh.{name}"} for name in DASHBOARD_TABLES},
    "{definition}": {"": "SELECT * FROM dwh.mv_daily_kpi"},
    "{chosen}": {"": query("quarantine/chosen")},
    "{first}": {"": "20240101"},
    "{end}": {"": "20240201"},
}


@pytest.mark.parametrize("name", query_names())
def test_a_query_fits_the_schema(shared_url: str, name: str) -> None:
    with psycopg.connect(shared_url) as connection, connection.transaction(force_rollback=True):
        for stage in STAGES:
            if stage in query_names():
                connection.execute(query(stage))
        connection.execute(BATCHES)
        text = query(name)
        for placeholder, instead in NAMES.items():
            text = text.replace(placeholder, instead.get(name, instead[""]))
        if name in STAGES:
            return
        if re.search(r"^COPY ", text, re.MULTILINE):
            with connection.cursor().copy(text):
                return
        if re.search(r"^(ALTER|ANALYZE|CREATE|GRANT|LOCK) ", text, re.MULTILINE):
            connection.execute("CREATE ROLE auditor")
            connection.execute(text)
            return
        connection.execute(f"PREPARE checked AS {_numbered(text)}")


def _numbered(text: str) -> str:
    """Placeholders of psycopg as those of PostgreSQL."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for number, name in enumerate(names, start=1):
        text = text.replace(f"%({name})s", f"${number}")
    first, *rest = text.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))


def test_rows_refused_before_replays_know_their_file(empty_url: str, schema_folder: Path) -> None:
    migration = schema_folder / "migrations" / "0012_replay.sql"
    text = migration.read_text()
    migration.unlink()
    migrate(empty_url)
    execute(
        empty_url,
        """
        INSERT INTO ops.run (command, status) VALUES ('load', 'done');
        INSERT INTO ops.file (content_hash, feed, contract, file_name, size_bytes, run_id, rows_read, rows_loaded,
                              rows_updated, rows_repeated, rows_rejected)
        VALUES ('h', 'clients', '1-abc', 'clients.csv', 5, 1, 1, 0, 0, 0, 1);
        INSERT INTO ops.quarantine (run_id, content_hash, file_name, feed, row_number, reasons, payload)
        VALUES (1, 'h', 'clients.csv', 'clients', 1, '{a}', ''), (1, 'i', 'lost.csv', 'clients', 1, '{a}', '');
        """,
    )
    migration.write_text(text)
    migrate(empty_url)
    rows = "SELECT contract, form_id, attempts, state FROM ops.quarantine ORDER BY quarantine_id"
    assert rows_of(empty_url, rows) == [("1-abc", None, 0, "open"), ("", None, 0, "open")]
