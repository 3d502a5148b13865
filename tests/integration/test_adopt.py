"""An ordinary table becomes partitioned; a table made by hand becomes a leaf."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from partitions import adopt, regrain, twin
from partitions.adopt import adopt_table
from partitions.grain import Grain
from partitions.policy import Policy
from tests.loading import execute, rows_of, value_of
from tests.notices import notices
from tests.partitioned import (
    COLUMNS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    fill,
    left_behind,
    make_table,
    rows_in,
    spans_of,
    table_of,
)
from warehouse.connection import Connection, sql
from warehouse.errors import NothingToDoError, TargetError

APRIL = Grain.MONTH.span_of(date(2024, 4, 1))
NOW = datetime.now(UTC).date()
UNTIL_NOW = [*Grain.MONTH.spans(JANUARY.first, Grain.MONTH.ahead(NOW, PAYMENTS.premake))]


@pytest.fixture
def whole(connection: Connection) -> Connection:
    """`dwh.payments`, not partitioned, with three months of rows."""
    connection.execute(f"CREATE TABLE dwh.payments ({COLUMNS}, PRIMARY KEY (payment_id))")
    connection.execute("CREATE INDEX payments_day ON dwh.payments (date_key, client_key)")
    connection.execute("COMMENT ON TABLE dwh.payments IS 'All payments.'")
    connection.execute("COMMENT ON COLUMN dwh.payments.note IS 'A note.'")
    for span in (JANUARY, FEBRUARY, MARCH):
        fill(connection, "dwh.payments", span, 10)
    return connection


@pytest.fixture
def role(connection: Connection) -> Iterator[str]:
    name = f"reader_{secrets.token_hex(4)}"
    connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA dwh TO {}").format(sql.Identifier(name)))
    yield name
    connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_table_becomes_leaves(database_url: str, whole: Connection) -> None:
    before = rows_in(database_url, PAYMENTS)
    done = adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert spans_of(database_url, PAYMENTS) == UNTIL_NOW
    assert rows_in(database_url, PAYMENTS) == before
    assert done.swaps[0].rows == len(before)
    assert left_behind(database_url) == []
    table = table_of(database_url, PAYMENTS)
    assert [(index.name, index.columns, index.valid) for index in table.indexes] == [
        ("payments_day", ("date_key", "client_key"), True)
    ]
    assert {index.columns for index in table.leaves[0].indexes} == {("payment_id",), ("date_key", "client_key")}
    assert value_of(database_url, "SELECT obj_description('dwh.payments'::regclass)") == "All payments."
    assert value_of(database_url, "SELECT col_description('dwh.payments'::regclass, 5)") == "A note."
    checks = rows_of(
        database_url,
        "SELECT conname FROM pg_constraint WHERE contype = 'c'"
        " AND (conrelid = 'dwh.payments'::regclass OR conname = 'cauri_adopting')",
    )
    assert checks == []
    with pytest.raises(NothingToDoError):
        adopt_table(database_url, PAYMENTS, "dwh.payments", "UTC")


def test_rights_go_to_the_table_and_not_to_its_leaves(database_url: str, whole: Connection, role: str) -> None:
    name = sql.Identifier(role)
    whole.execute(sql.SQL("GRANT SELECT (payment_id), UPDATE (note) ON dwh.payments TO {}").format(name))
    whole.execute(sql.SQL("GRANT INSERT ON dwh.payments TO {} WITH GRANT OPTION").format(name))
    rights = (
        "SELECT relacl::text[], attacl::text[] FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid"
        " WHERE c.oid = 'dwh.payments'::regclass AND attname IN ('payment_id', 'note') ORDER BY attname"
    )
    before = rows_of(database_url, rights)
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert rows_of(database_url, rights) == before
    assert {grant for leaf in table_of(database_url, PAYMENTS).leaves for grant in leaf.grants} == set()


def test_views_go_on_with_their_options_and_rights(database_url: str, whole: Connection, role: str) -> None:
    name = sql.Identifier(role)
    whole.execute("CREATE VIEW dwh.v_payments WITH (security_barrier = true) AS"
                  " SELECT p.payment_id, p.note FROM dwh.payments p WHERE date_key > 20240131")  # fmt: skip
    whole.execute("CREATE VIEW dwh.v_count AS SELECT count(*) FROM dwh.v_payments")
    whole.execute("COMMENT ON VIEW dwh.v_payments IS 'Newer payments.'")
    whole.execute(sql.SQL("GRANT SELECT ON dwh.v_payments TO {}").format(name))
    before = rows_of(database_url, "SELECT * FROM dwh.v_payments ORDER BY 1")
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    execute(database_url, "INSERT INTO dwh.payments VALUES (1, 20240201, 1, 1, 'new')")
    assert value_of(database_url, "SELECT count FROM dwh.v_count") == len(before) + 1
    options, grants, remark = rows_of(
        database_url,
        "SELECT reloptions, relacl::text, obj_description(oid) FROM pg_class WHERE oid = 'dwh.v_payments'::regclass",
    )[0]
    assert (options, role in grants, remark) == (["security_barrier=true"], True, "Newer payments.")


DEPENDENTS = {
    "materialized view dwh.mv": "CREATE MATERIALIZED VIEW dwh.mv AS SELECT count(*) FROM dwh.payments",
    "foreign key of dwh.note": "CREATE TABLE dwh.note (payment_id bigint REFERENCES dwh.payments)",
    "trigger watch": "CREATE TRIGGER watch BEFORE INSERT ON dwh.payments FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    r"function dwh.of\(dwh.payments\)": "CREATE FUNCTION dwh.of(dwh.payments) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "policy mine": "CREATE POLICY mine ON dwh.payments USING (client_key = 1)",
    "row security of": "ALTER TABLE dwh.payments ENABLE ROW LEVEL SECURITY",
    "publication out": "CREATE PUBLICATION out FOR TABLE dwh.payments",
    "child table dwh.child": "CREATE TABLE dwh.child () INHERITS (dwh.payments)",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DEPENDENTS)
def test_what_would_not_survive_is_named(database_url: str, whole: Connection, name: str) -> None:
    whole.execute(DEPENDENTS[name])
    before = rows_in(database_url, PAYMENTS)
    with pytest.raises(TargetError, match=name):
        adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert table_of(database_url, PAYMENTS).unpartitioned
    assert (rows_in(database_url, PAYMENTS), left_behind(database_url)) == (before, [])


@pytest.mark.parametrize("kind", ["bigserial", "bigint GENERATED ALWAYS AS IDENTITY"])
def test_numbers_go_on(database_url: str, connection: Connection, kind: str) -> None:
    connection.execute(f"CREATE TABLE dwh.payments (payment_id {kind} PRIMARY KEY, date_key integer NOT NULL)")
    insert = "INSERT INTO dwh.payments (date_key) SELECT 20240101 + n FROM generate_series(1, 20) n"
    connection.execute(insert)
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    connection.execute(insert)
    assert value_of(database_url, "SELECT array_agg(payment_id ORDER BY payment_id) FROM dwh.payments") == [
        *range(1, 41)
    ]
    assert value_of(database_url, "SELECT pg_get_serial_sequence('dwh.payments', 'payment_id')").startswith("dwh.")
    sequences = value_of(database_url, "SELECT count(*) FROM pg_class WHERE relkind = 'S'"
                                       " AND relnamespace = 'dwh_parts'::regnamespace")  # fmt: skip
    assert sequences == 0


def test_the_rows_are_not_scanned_under_the_lock(
    database_url: str, whole: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, said = twin.become_partitioned, list[str]()

    def listening(connection: Connection, *arguments: Any) -> None:
        with notices(connection) as heard:
            real(connection, *arguments)
        said.extend(heard)

    monkeypatch.setattr(adopt, "become_partitioned", listening)
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert sum("is implied by existing constraints" in text for text in said) == 1


def test_a_reader_and_a_writer_meanwhile(database_url: str, whole: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans and snapshots that are older than the change go on, too."""
    real = regrain.change_grain
    with (
        psycopg.connect(database_url, autocommit=True) as session,
        psycopg.connect(database_url) as snapshot,
    ):
        snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot.execute("SELECT count(*) FROM ops.run")
        session.execute("PREPARE number AS SELECT count(*) FROM dwh.payments")
        session.execute("EXECUTE number")

        def between(*arguments: Any) -> Any:
            session.execute("INSERT INTO dwh.payments VALUES (1, 20240105, 1, 1, 'new')")
            assert session.execute("EXECUTE number").fetchone() == (911,)
            assert snapshot.execute("SELECT count(*) FROM dwh.payments").fetchone() == (910,)
            snapshot.commit()
            return real(*arguments)

        monkeypatch.setattr(adopt, "change_grain", between)
        adopt_table(database_url, PAYMENTS, "payments", "UTC")
        assert session.execute("EXECUTE number").fetchone() == (911,)


def test_an_interrupted_adoption_goes_on(database_url: str, whole: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_in(database_url, PAYMENTS)

    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    for step in ("become_partitioned", "change_grain"):
        with monkeypatch.context() as patched:
            patched.setattr(adopt, step, stop)
            with pytest.raises(KeyboardInterrupt):
                adopt_table(database_url, PAYMENTS, "payments", "UTC")
        assert rows_in(database_url, PAYMENTS) == before
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert (spans_of(database_url, PAYMENTS), rows_in(database_url, PAYMENTS)) == (UNTIL_NOW, before)
    assert left_behind(database_url) == []


def test_an_empty_table(database_url: str, connection: Connection) -> None:
    connection.execute(f"CREATE TABLE dwh.payments ({COLUMNS})")
    adopt_table(database_url, PAYMENTS, "payments", "UTC")
    assert spans_of(database_url, PAYMENTS)[0] == Grain.MONTH.span_of(NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ALTER TABLE dwh.payments ALTER date_key DROP NOT NULL; UPDATE dwh.payments SET date_key = NULL"
         " WHERE client_key = 1", r"rows? without a key|row\(s\) without a key"),
        ("UPDATE dwh.payments SET date_key = 20241301 WHERE client_key = 1", "whose key is no day"),
        ("ALTER TABLE dwh.payments ALTER date_key TYPE bigint", "is bigint; its policy says integer"),
        ("ALTER TABLE dwh.payments RENAME date_key TO day", "is missing"),
    ],
)  # fmt: skip
def test_rows_and_keys_that_do_not_fit(database_url: str, whole: Connection, change: str, words: str) -> None:
    for part in change.split(";"):
        whole.execute(part)
    with pytest.raises(TargetError, match=words):
        adopt_table(database_url, PAYMENTS, "payments", "UTC")


def test_a_wrong_day_far_away(database_url: str, connection: Connection) -> None:
    connection.execute(f"CREATE TABLE dwh.payments ({COLUMNS})")
    connection.execute("INSERT INTO dwh.payments (payment_id, date_key) VALUES (1, 19700101), (2, 21991231)")
    daily = PAYMENTS.model_copy(update={"grain": Grain.DAY})
    with pytest.raises(TargetError, match="leaves of grain day"):
        adopt_table(database_url, daily, "payments", "UTC")


@pytest.fixture
def parent(connection: Connection) -> Connection:
    """`dwh.payments` with February; January, made by hand, stands in a schema of its own, columns in another order."""
    make_table(connection, PAYMENTS, (FEBRUARY,), rows_a_day=5)
    connection.execute("CREATE SCHEMA hand")
    connection.execute("CREATE TABLE hand.jan (note text, amount_minor bigint, client_key integer,"
                       " date_key integer NOT NULL, payment_id bigint NOT NULL)")  # fmt: skip
    connection.execute("INSERT INTO hand.jan SELECT 'x', 5, 1, 20240100 + n % 31 + 1, n FROM generate_series(1, 100) n")
    return connection


def test_a_table_made_by_hand_becomes_a_leaf(database_url: str, parent: Connection) -> None:
    parent.execute("GRANT SELECT ON hand.jan TO PUBLIC")
    done = adopt_table(database_url, PAYMENTS, "hand.jan", "UTC")
    assert (done.leaf, spans_of(database_url, PAYMENTS)) == ("dwh_parts.payments_2024_01", [JANUARY, FEBRUARY])
    leaf, other = table_of(database_url, PAYMENTS).leaves
    assert {(i.columns, i.unique, i.valid) for i in leaf.indexes} == {
        (i.columns, i.unique, i.valid) for i in other.indexes
    }
    assert leaf.grants == ()
    assert value_of(database_url, "SELECT count(*) FROM dwh.payments") == 100 + 5 * 29
    assert left_behind(database_url) == []
    with pytest.raises(NothingToDoError):
        adopt_table(database_url, PAYMENTS, "dwh_parts.payments_2024_01", "UTC")


def test_a_leaf_that_was_detached_comes_back(database_url: str, parent: Connection) -> None:
    before = rows_in(database_url, PAYMENTS)
    parent.execute("ALTER TABLE dwh.payments DETACH PARTITION dwh_parts.payments_2024_02 CONCURRENTLY")
    adopt_table(database_url, PAYMENTS, "dwh_parts.payments_2024_02", "UTC")
    assert (spans_of(database_url, PAYMENTS), rows_in(database_url, PAYMENTS)) == ([FEBRUARY], before)


def test_rows_of_more_than_a_unit_get_a_longer_one(database_url: str, parent: Connection) -> None:
    parent.execute("UPDATE hand.jan SET date_key = 20241000 + payment_id % 31 + 1")
    parent.execute("INSERT INTO hand.jan VALUES ('x', 1, 1, 20241105, 101)")
    adopt_table(database_url, PAYMENTS, "hand.jan", "UTC")
    assert spans_of(database_url, PAYMENTS)[-1] == Grain.QUARTER.span_of(date(2024, 10, 1))


REFUSED = {
    "date_key is bigint, not integer": "ALTER TABLE hand.jan ALTER date_key TYPE bigint",
    "payment_id allows NULL": "ALTER TABLE hand.jan ALTER payment_id DROP NOT NULL",
    "note is missing": "ALTER TABLE hand.jan DROP note",
    "extra is not a column": "ALTER TABLE hand.jan ADD extra int",
    "note has collation": 'ALTER TABLE hand.jan ALTER note TYPE text COLLATE "C"',
    "amount_minor is generated": "ALTER TABLE hand.jan DROP amount_minor,"
    " ADD amount_minor bigint GENERATED ALWAYS AS (payment_id) STORED",
    "no rows": "TRUNCATE hand.jan",
    "fit no free leaf": "UPDATE hand.jan SET date_key = 20250101 WHERE payment_id = 5",
    "the leaf payments_2024_02 has": "UPDATE hand.jan SET date_key = 20240210",
    "whose key is no day": "UPDATE hand.jan SET date_key = 20240001 WHERE payment_id = 5",
    "exists already": "CREATE TABLE dwh_parts.payments_2024_01 (n int)",
    "DEFAULT partition": "CREATE TABLE dwh_parts.rest PARTITION OF dwh.payments DEFAULT",
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_table_that_does_not_fit_is_refused(database_url: str, parent: Connection, words: str) -> None:
    parent.execute(REFUSED[words])
    with pytest.raises(TargetError, match=words):
        adopt_table(database_url, PAYMENTS, "hand.jan", "UTC")
    assert spans_of(database_url, PAYMENTS) == [FEBRUARY]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("CREATE VIEW hand.other AS SELECT * FROM hand.jan", "a view"),
        ("CREATE MATERIALIZED VIEW hand.other AS SELECT * FROM hand.jan", "a materialized view"),
        ("CREATE TABLE hand.other (LIKE hand.jan) PARTITION BY RANGE (date_key)", "partitioned itself"),
        ("CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN"
         " TABLE hand.other (date_key int) SERVER files OPTIONS (filename '/nowhere')", "a foreign table"),
        ("SELECT 1", "there is no table"),
    ],
)  # fmt: skip
def test_what_is_no_ordinary_table(database_url: str, parent: Connection, made: str, words: str) -> None:
    try:
        for part in made.split(";"):
            parent.execute(part)
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("these PostgreSQL programs have no file_fdw")
    with pytest.raises(TargetError, match=words):
        adopt_table(database_url, PAYMENTS, "hand.other", "UTC")


def test_rows_that_break_a_unique_index(database_url: str, parent: Connection) -> None:
    parent.execute("INSERT INTO hand.jan SELECT * FROM hand.jan WHERE payment_id = 5")
    with pytest.raises(TargetError, match="unique index"):
        adopt_table(database_url, PAYMENTS, "hand.jan", "UTC")
    parent.execute("DELETE FROM hand.jan WHERE payment_id = 5")
    adopt_table(database_url, PAYMENTS, "hand.jan", "UTC")
    assert spans_of(database_url, PAYMENTS) == [JANUARY, FEBRUARY]


def test_moments(database_url: str, connection: Connection) -> None:
    """Midnight of the business time zone divides the days."""
    log = Policy.model_validate(
        {"schema": "dwh", "table": "log", "key": "at", "key_kind": "timestamptz", "timezone": "Africa/Nairobi"}
    )
    connection.execute("CREATE TABLE dwh.log (at timestamptz NOT NULL, what text)")
    connection.execute("INSERT INTO dwh.log SELECT '2024-01-31 00:00+00'::timestamptz + n * interval '1 hour', 'x'"
                       " FROM generate_series(0, 47) n")  # fmt: skip
    adopt_table(database_url, log, "log", "UTC")
    assert value_of(database_url, "SELECT count(*) FROM dwh_parts.log_2024_01") == 21
    assert value_of(database_url, "SELECT count(*) FROM dwh.log") == 48
