"""A warehouse that an earlier Cauri has filled: brought up to date, it holds what it held, and goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sample.plan import SamplePlan
from tests.dashboards import PLAN, copied, filled, refreshed
from tests.database import copied_database
from tests.loading import content, load, rows_of, sample_folder, sealed
from warehouse import migrations
from warehouse.migrations import migrate
from warehouse.queries import SCHEMA_FOLDER

# The last migration that the warehouse has, and what of its content came to be kept later only.
STAGES = {"0010": ("client_event",), "0012": (), "0016": (), "0019": ()}
# From here on there are scores and segments.
ANALYSED = "0016"
NEWER = SamplePlan(rows=500, months=3, dirty_share=0.0, clients=200, seed=8)

TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('dwh', 'ml', 'ops', 'vault', 'audit') AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND c.relname <> 'migration'
GROUP BY 1, 2 ORDER BY 1, 2
"""
LEAVES = """
SELECT c.oid::regclass::text, i.inhparent::regclass::text, pg_get_expr(c.relpartbound, c.oid),
       ARRAY(SELECT pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class o ON o.oid = x.indexrelid
             WHERE x.indrelid = c.oid AND NOT o.relispartition),
       ARRAY(SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, conname, pg_get_constraintdef(k.oid))
             FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.coninhcount = 0)
FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relispartition AND c.relkind = 'r' ORDER BY 1
"""
IDENTITIES = """
SELECT format('SELECT setval(%L, (SELECT max(%I) FROM %s))',
              pg_get_serial_sequence(c.oid::regclass::text, attname), attname, c.oid::regclass)
FROM pg_class c JOIN pg_attribute ON attrelid = c.oid
WHERE attidentity <> '' AND c.relkind = 'r'
"""


@pytest.fixture(scope="module")
def loaded_url(template_database: tuple[str, str]) -> Iterator[str]:
    with copied_database(*template_database) as url:
        load(sample_folder(PLAN), url)
        yield url


@pytest.fixture(scope="module")
def analysed_url(template_database: tuple[str, str]) -> Iterator[str]:
    with filled(*template_database) as url:
        yield url


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def newest_url(stage: str, loaded_url: str, analysed_url: str) -> str:
    return analysed_url if stage >= ANALYSED else loaded_url


@pytest.fixture
def older_url(
    stage: str,
    newest_url: str,
    template_database: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """What the newest warehouse holds, under a schema that ends at a stage."""
    folder = tmp_path / "schema"
    shutil.copytree(SCHEMA_FOLDER, folder)
    for script in [*folder.glob("views/*.sql"), *folder.glob("migrations/*.sql")]:
        if script.parent.name == "views" or script.name[:4] > stage:
            script.unlink()
    with copied_database(template_database[0], "template0") as url:
        with monkeypatch.context() as patched:
            patched.setattr(migrations, "SCHEMA_FOLDER", folder)
            migrate(url)
        copy_rows(newest_url, url)
        yield url


def copy_rows(source: str, target: str) -> None:
    """All rows of the tables and columns that both have, with the leaves they stand in."""
    with psycopg.connect(source) as reading, psycopg.connect(target) as writing:
        writing.execute("SET session_replication_role = replica")
        known = {(schema, table): columns for schema, table, columns in reading.execute(TABLES)}
        tables = writing.execute(TABLES).fetchall()
        parents = {f"{schema}.{table}" for schema, table, _ in tables}
        for leaf, parent, bound, indexes, checks in reading.execute(LEAVES):
            if parent in parents:
                writing.execute(f"CREATE TABLE {leaf} PARTITION OF {parent} {bound}")
                for statement in [*indexes, *checks]:
                    writing.execute(statement)
        for schema, table, _ in tables:
            writing.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(schema, table)))
        for schema, table, columns in tables:
            shared = [name for name in columns if name in known[schema, table]]
            copy_table(reading, writing, sql.Identifier(schema, table), shared)
        for (statement,) in writing.execute(IDENTITIES).fetchall():
            writing.execute(statement)


def copy_table(
    reading: psycopg.Connection, writing: psycopg.Connection, table: sql.Identifier, names: list[str]
) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    rows = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, table)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(table, columns)
    with reading.cursor().copy(rows) as out, writing.cursor().copy(into) as back:
        for block in out:
            back.write(block)


def test_an_older_warehouse_is_brought_up_to_date(older_url: str, newest_url: str, stage: str) -> None:
    assert migrate(older_url)
    refreshed(older_url)
    assert content(older_url, without=STAGES[stage]) == content(newest_url, without=STAGES[stage])
    assert sealed(older_url) == sealed(newest_url)
    scores = "SELECT * FROM ml.fraud_score ORDER BY 2, 3"
    assert rows_of(older_url, scores) == rows_of(newest_url, scores)
    segments = "SELECT * FROM ml.client_segment ORDER BY client_ref, as_of"
    assert rows_of(older_url, segments) == rows_of(newest_url, segments)


def test_it_goes_on_as_one_that_was_never_older(older_url: str, newest_url: str, stage: str) -> None:
    migrate(older_url)
    assert load(sample_folder(PLAN), older_url).status == "nothing"
    with copied(newest_url) as url:
        for one in (url, older_url):
            assert load(sample_folder(NEWER), one).restated_facts
        assert content(older_url, without=STAGES[stage]) == content(url, without=STAGES[stage])
    refreshed(older_url)
