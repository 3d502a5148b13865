"""The roles of the compose stack on a server of their own: what the writer owns, what a reader may and may not."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from dashboards.specification import specification
from dashboards.statements import Language, statement_of
from sample.plan import SamplePlan
from tests.composed import COMPOSE, make_secrets, run
from tests.database import server_folder
from tests.loading import load, new_folder, rows_of, sample_folder, value_of
from tests.metabase import with_values
from warehouse.binaries import Binaries, find_binaries
from warehouse.migrations import migrate
from warehouse.queries import query
from warehouse.server import LocalServer
from warehouse.settings import read_settings

ROLES = COMPOSE / "postgres" / "initdb" / "10-roles.sql"
PLAN = SamplePlan(rows=3_000, months=2)
CHOSEN = {
    "since": "2024-01-10",
    "until": "2024-02-20",
    "country": "CI",
    "segment": "CORPORATE",
    "service": "ALL",
    "currency": "XOF",
}


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find_binaries(read_settings())


@pytest.fixture(scope="module")
def server(binaries: Binaries) -> Iterator[str]:
    """The superuser's address of an empty database on a server of our own: roles belong to servers."""
    folder = server_folder("cauri-roles-")
    own = LocalServer(folder / "home", binaries, throwaway=True)
    try:
        yield own.start()
    finally:
        own.stop()


@pytest.fixture(scope="module")
def with_roles(server: str, binaries: Binaries) -> str:
    secrets = make_secrets(new_folder("secrets") / "made")
    run(psql(binaries, server), {"SECRETS_FOLDER": str(secrets)})
    return server


@pytest.fixture(scope="module")
def warehouse(with_roles: str) -> str:
    """A small warehouse that the login `etl` has made and loaded."""
    writer = as_role(with_roles, "etl")
    migrate(writer)
    load(sample_folder(PLAN), writer)
    return with_roles


@pytest.fixture(scope="module")
def reader(warehouse: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(as_role(warehouse, "analyst"), autocommit=True) as connection:
        yield connection


def psql(binaries: Binaries, url: str) -> list[str]:
    return [binaries.program("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "--quiet", "-f", str(ROLES), url]


def as_role(url: str, role: str) -> str:
    return make_conninfo(url, user=role)


def test_weak_passwords_make_no_role(server: str, binaries: Binaries, tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path / "secrets")
    (secrets / "analyst_password").write_text("short")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE careless")
    done = run(psql(binaries, make_conninfo(server, dbname="careless")), {"SECRETS_FOLDER": str(secrets)}, check=False)
    assert done.returncode != 0
    assert "shorter than 16" in done.stderr


def test_passwords_are_kept_as_scram(with_roles: str) -> None:
    kept = rows_of(with_roles, "SELECT rolname, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolcanlogin")
    assert {name for name, is_scram in kept if is_scram} == {"etl", "analyst", "metabase"}


def test_what_the_writer_made_belongs_to_its_role(warehouse: str) -> None:
    owners = rows_of(
        warehouse,
        "SELECT DISTINCT relowner::regrole::text FROM pg_class"
        " WHERE relnamespace::regnamespace::text IN ('dwh', 'dwh_parts', 'ops', 'ml', 'vault')",
    )
    assert owners == [("etl_role",)]
    assert value_of(warehouse, "SELECT count(*) FROM dwh_parts.fact_transactions_2024_01") > 0


def test_a_reader_reads_every_view(warehouse: str, reader: psycopg.Connection) -> None:
    views = rows_of(
        warehouse,
        "SELECT relname FROM pg_class WHERE relnamespace = 'dwh'::regnamespace AND relkind IN ('v', 'm')",
    )
    assert ("v_transactions",) in views
    assert ("mv_daily_kpi",) in views
    for (view,) in views:
        reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier("dwh", view)))
    assert reader.execute("SELECT count(*) > 0 FROM v_transactions").fetchone() == (True,)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("values", [{}, CHOSEN], ids=["all", "chosen"])
def test_a_reader_runs_every_tile(reader: psycopg.Connection, values: dict[str, str], language: Language) -> None:
    found = specification()
    for _, tile in found.tiles:
        statement = statement_of(found, tile, language)
        done = reader.execute(with_values(statement, values).encode())
        assert [column.name for column in done.description or ()] == list(statement.labels), tile.id


def test_a_reader_reads_nothing_else(warehouse: str, reader: psycopg.Connection) -> None:
    granted = {(schema, name) for schema, name, _ in rows_of(warehouse, query("roles/readable"))}
    assert {schema for schema, _ in granted} <= {"dwh", "ml", "ops"}
    tables = rows_of(
        warehouse,
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p')"
        " AND n.nspname IN ('dwh', 'dwh_parts', 'staging', 'vault', 'ops', 'audit', 'ml')",
    )
    others = set(tables) - granted
    assert {"dwh_parts", "vault", "ops"} <= {schema for schema, _ in others}
    for schema, table in others:
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, table)))


def test_no_leaf_carries_a_grant(warehouse: str) -> None:
    leaves = rows_of(warehouse, "SELECT relname, relacl FROM pg_class WHERE relispartition AND relkind = 'r'")
    assert leaves
    assert [name for name, acl in leaves if acl and "analyst" in str(acl)] == []


def test_a_reader_of_a_view_gets_no_column_more(reader: psycopg.Connection) -> None:
    reader.execute("SELECT client_code FROM dwh.dim_client LIMIT 1")
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute("SELECT attribute_hash FROM dwh.dim_client LIMIT 1")


def test_a_reader_changes_nothing(reader: psycopg.Connection) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        reader.execute("CREATE TEMP TABLE t (n int)")
    with reader.transaction():
        reader.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
            reader.execute("DELETE FROM dwh.dim_client")
        with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
            reader.execute("CREATE TABLE dwh.mine (n int)")
    assert reader.execute("SHOW statement_timeout").fetchone() == ("1min",)


def test_rights_follow_a_view_that_is_made_anew(warehouse: str, reader: psycopg.Connection) -> None:
    writer = as_role(warehouse, "etl")
    with psycopg.connect(writer, autocommit=True) as connection:
        connection.execute("UPDATE ops.migration SET checksum = 'other' WHERE name = '030_mv_daily_kpi.sql'")
    assert "030_mv_daily_kpi.sql" in migrate(writer)
    reader.execute("SELECT * FROM dwh.mv_daily_kpi LIMIT 1")


def test_the_databases_are_apart(with_roles: str) -> None:
    for user, database in (("metabase", "cauri"), ("analyst", "metabase"), ("etl", "metabase")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(make_conninfo(with_roles, user=user, dbname=database))
    with psycopg.connect(make_conninfo(with_roles, user="metabase", dbname="metabase")) as connection:
        connection.execute("CREATE TABLE public.settings (n int)")
