"""One fingerprint, computed by PostgreSQL of a table and by Polars of a file: equal exactly if the rows are equal."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partitions.archive_file import read_rows, write_rows
from partitions.canonical import fingerprint
from partitions.columns import AS_TEXT, WIRE, Column, archivable_columns
from partitions.fingerprint import Fingerprint, measure
from tests.database import copied_database
from warehouse.connection import Connection, connect, sql
from warehouse.copy import copy_frame
from warehouse.errors import TargetError
from warehouse.stream import one_snapshot, stream_rows

TABLE = sql.Identifier("public", "every_type")

_TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
_NUMBERS = st.decimals(allow_nan=True, allow_infinity=True, places=None).map(lambda d: "NaN" if d.is_nan() else str(d))
_DAYS, _MOMENTS = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)

# Column, type, frame type, values. Days and moments are what PostgreSQL holds: units since 2000, the ends are infinite.
EVERY: tuple[tuple[str, str, Any, st.SearchStrategy[Any]], ...] = (
    ("a_small", "smallint", pl.Int16, st.integers(-(2**15), 2**15 - 1)),
    ("b_whole", "integer", pl.Int32, st.integers(-(2**31), 2**31 - 1)),
    ("c_big", "bigint", pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    ("d_single", "real", pl.Float32, st.floats(width=32)),
    ("e_double", "double precision", pl.Float64, st.floats()),
    ("f_flag", "boolean", pl.Boolean, st.booleans()),
    ("g_day", "date", pl.Date, st.sampled_from([-(2**31), 2**31 - 1, -2_451_545, -1, 0, 2_145_031_948])),
    ("h_moment", "timestamp with time zone", pl.Datetime("us", "UTC"),
     st.sampled_from([-(2**63), 2**63 - 1, -211_813_488_000_000_000, -1, 0, 9_223_371_331_199_999_999])),
    ("i_text", "text", pl.String, _TEXTS),
    ("j_bytes", "bytea", pl.Binary, st.binary(max_size=8)),
    ("k_number", "numeric", pl.String, _NUMBERS),
    ("l_json", "jsonb", pl.String, st.sampled_from(["null", '{"a": [1, 2.50, "é"]}', '""', "[]"])),
    ("m_texts", "text[]", pl.List(pl.String), st.lists(st.none() | _TEXTS | st.sampled_from(["NULL", '"', "\\", " "]))),
)  # fmt: skip
ROWS = st.lists(st.tuples(*(st.none() | values for *_, values in EVERY)), max_size=6)


@pytest.fixture(scope="module")
def connection(template_database: tuple[str, str]) -> Iterator[Connection]:
    with copied_database(*template_database) as url, connect(url) as opened:
        columns = ", ".join(f"{name} {kind}" for name, kind, *_ in EVERY)
        opened.execute(sql.SQL("CREATE TABLE {} ({})").format(TABLE, sql.SQL(columns)))
        yield opened


def frame_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    series = []
    for place, (name, kind, dtype, _) in enumerate(EVERY):
        values = [row[place] for row in rows]
        if kind == "date":
            days = pl.Series(values, dtype=pl.Int32) + pl.lit(10_957, dtype=pl.Int32)
            series.append(pl.select(days.cast(pl.Date).alias(name)).to_series())
        elif kind == "timestamp with time zone":
            moments = pl.Series(values, dtype=pl.Int64) + pl.lit(946_684_800_000_000, dtype=pl.Int64)
            series.append(pl.select(moments.cast(dtype).alias(name)).to_series())
        else:
            series.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(series)


def through_file(connection: Connection, columns: tuple[Column, ...], path: Path) -> pl.DataFrame:
    """The table's rows after they were in a Parquet file."""
    statement = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(column.read for column in columns), TABLE)
    with one_snapshot(connection) as snapshot, stream_rows(connection, snapshot, statement, {}) as batches:
        write_rows(path, batches)
    return pl.concat([pl.DataFrame(pq.read_schema(path).empty_table()), *read_rows(path)])


def test_every_type_is_tested() -> None:
    assert {kind for _, kind, *_ in EVERY} == set(WIRE) | AS_TEXT


@given(rows=ROWS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_are_the_same_at_every_station(
    connection: Connection, rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Frame -> COPY -> table -> ADBC -> Parquet -> frame -> COPY -> table, and whoever computes the fingerprint."""
    connection.execute(sql.SQL("TRUNCATE {}").format(TABLE))
    copy_frame(connection, TABLE, frame_of(rows))
    columns = archivable_columns(connection, TABLE)
    with connection.transaction():
        measured = measure(connection, TABLE, columns)
    read = through_file(connection, columns, tmp_path_factory.getbasetemp() / "every_type.parquet")
    assert measured.rows == read.height == len(rows)
    assert fingerprint(read, columns) == measured
    connection.execute(sql.SQL("TRUNCATE {}").format(TABLE))
    copy_frame(connection, TABLE, read)
    with connection.transaction():
        assert measure(connection, TABLE, columns) == measured


@given(rows=ROWS, cut=st.integers(0, 6), seed=st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_parts_add_up_in_any_order(connection: Connection, rows: list[tuple[Any, ...]], cut: int, seed: Any) -> None:
    columns = archivable_columns(connection, TABLE)
    frame = frame_of([(*row[:10], "1.50", *row[11:]) for row in rows])
    places = list(range(frame.height))
    seed.shuffle(places)
    shuffled = frame.select(pl.all().gather(places))
    whole = fingerprint(frame, columns)
    assert fingerprint(shuffled[:cut], columns) + fingerprint(shuffled[cut:], columns) == whole
    assert fingerprint(frame.select(reversed(frame.columns)), columns[::-1]) == whole


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("text", "''", "NULL"),
        ("text", "'a'", "'a '"),
        ("text[]", "'{}'", "NULL"),
        ("text[]", "'{NULL}'", "'{\"NULL\"}'"),
        ("text[]", "'{a,b}'", "'{\"a,b\"}'"),
        ("text[]", "'{{a,b}}'", "'{a,b}'"),
        ("bytea", "'\\x00'", "'\\x0000'"),
        ("numeric", "1.0", "1.00"),
        ("double precision", "0", "'-0'"),
        ("bigint", "9223372036854775807", "9223372036854775806"),
        ("timestamptz", "'infinity'", "'294276-12-31 23:59:59.999999+00'"),
        ("jsonb", "'1.0'", "'1.00'"),
        ("boolean", "false", "NULL"),
    ],
)
def test_values_that_differ_have_other_digests(
    connection: Connection, kind: LiteralString, one: LiteralString, other: LiteralString
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TABLE public.pair (v {kind})")
        columns, digests = archivable_columns(connection, sql.Identifier("public", "pair")), set()
        for value in (one, other):
            connection.execute(f"DELETE FROM public.pair; INSERT INTO public.pair VALUES ({value})")
            digests.add(measure(connection, sql.Identifier("public", "pair"), columns).digest)
    assert len(digests) == 2


def test_the_digest_does_not_depend_on_the_session(connection: Connection) -> None:
    columns = archivable_columns(connection, TABLE)
    row = (1, 1, 1, 0.1, 0.1, True, 0, 0, "é", b"\xff", "1.50", "[]", ["é"])
    connection.execute(sql.SQL("TRUNCATE {}").format(TABLE))
    copy_frame(connection, TABLE, frame_of([row]))
    found = set()
    for setting in ("SET client_encoding = 'LATIN1'", "SET bytea_output = 'escape'", "SET timezone = 'Asia/Kolkata'",
                    "SET datestyle = 'German'", "SET extra_float_digits = -5"):  # fmt: skip
        with connection.transaction(force_rollback=True):
            connection.execute(setting.replace("SET", "SET LOCAL", 1))
            found.add(measure(connection, TABLE, columns).digest)
    assert found == {fingerprint(frame_of([row]), columns).digest}


def test_sums_are_exact_where_they_are_large() -> None:
    big = Fingerprint(1, 0, {"a": Decimal(2**63 - 1), "b": Decimal("1e50"), "c": Decimal("NaN")})
    total = big + big + Fingerprint(1, 0, {"b": Decimal("1e-50")})
    assert total.texts == {"a": str(2 * (2**63 - 1)), "b": f"2{'0' * 50}.{'0' * 49}1", "c": "NaN"}
    assert total == total + Fingerprint()


def test_columns_of_other_types_are_refused_by_name(connection: Connection) -> None:
    connection.execute("CREATE TABLE public.strange (a integer, b uuid, c integer[])")
    with pytest.raises(TargetError, match=r"2 column\(s\) of unknown type: b \(uuid\), c \(integer\[\]\)"):
        archivable_columns(connection, sql.Identifier("public", "strange"))
    with pytest.raises(TargetError, match="there is no table"):
        archivable_columns(connection, sql.Identifier("public", "absent"))
