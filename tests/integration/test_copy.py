"""Binary COPY: every type arrives as it was, and what would not is refused before anything is sent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from tests.database import copied_database
from tests.loading import execute, rows_of
from warehouse.connection import Connection, connect, sql
from warehouse.copy import COPY_TYPES, FROM_TEXT, ROWS_PER_BATCH, copy_frame, copy_frames
from warehouse.errors import TargetError

TABLE = sql.Identifier("public", "target")
MOMENT = pl.Datetime("us", "UTC")
VALUES: dict[str, tuple[Any, list[Any]]] = {
    "smallint": (pl.Int16, [0, -32_768, 32_767, None]),
    "integer": (pl.Int32, [0, -(2**31), 2**31 - 1, None]),
    "bigint": (pl.Int64, [0, -(2**63), 2**63 - 1, None]),
    "real": (pl.Float32, [0.5, -0.0, float("inf"), -0.25, None]),
    "double precision": (pl.Float64, [0.1, -0.0, float("inf"), 5e-324, 1.7976931348623157e308, None]),
    "boolean": (pl.Boolean, [True, False, None]),
    "text": (pl.String, ["", "Kouamé 🐚 Ω", "\\N", "a\tb\r\nc\"';", "x" * 100_000, None]),
    "bytea": (pl.Binary, [b"", b"\x00\xff\\", bytes(range(256)), None]),
    "date": (
        pl.Date,
        [date(1, 1, 1), date(1969, 12, 31), date(1999, 12, 31), date(2000, 1, 1), date(9999, 12, 31), None],
    ),
    "timestamp with time zone": (
        MOMENT,
        [
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2000, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            None,
        ],
    ),
    "text[]": (pl.List(pl.String), [[], ["a", None, 'q"\\{},', "NULL", ""], [None], None]),
}
AS_TEXT = {
    "numeric": [
        "0",
        "0.000",
        "-7",
        "123.4500",
        "NaN",
        "Infinity",
        "-Infinity",
        "1" + "0" * 40 + ".5000",
        "0." + "0" * 30 + "1",
    ],
    "jsonb": ["null", "{}", '"\\u0000"'.replace("0000", "00e9"), '{"a": [1, 2.50, "é"]}'],
}
REFUSED: dict[str, tuple[str, pl.Series]] = {
    "narrower": ("bigint", pl.Series([1], dtype=pl.Int32)),
    "wider": ("smallint", pl.Series([1], dtype=pl.Int32)),
    "unsigned": ("integer", pl.Series([1], dtype=pl.UInt32)),
    "byte": ("smallint", pl.Series([1], dtype=pl.Int8)),
    "huge": ("bigint", pl.Series([1], dtype=pl.Int128)),
    "single": ("double precision", pl.Series([1], dtype=pl.Float32)),
    "decimal": ("numeric", pl.Series(["1.5"]).cast(pl.Decimal(18, 2))),
    "number as text": ("integer", pl.Series(["1"])),
    "text as bytes": ("bytea", pl.Series(["a"])),
    "bytes as text": ("text", pl.Series([b"a"])),
    "milliseconds": ("timestamp with time zone", pl.Series([0]).cast(pl.Datetime("ms", "UTC"))),
    "other zone": ("timestamp with time zone", pl.Series([0]).cast(pl.Datetime("us", "Africa/Nairobi"))),
    "no zone": ("timestamp with time zone", pl.Series([0]).cast(pl.Datetime("us"))),
    "zoned into zoneless": ("timestamp without time zone", pl.Series([0]).cast(MOMENT)),
    "time": ("time without time zone", pl.Series([0]).cast(pl.Time)),
    "category": ("text", pl.Series(["a"], dtype=pl.Categorical)),
    "list": ("integer[]", pl.Series([[1]])),
    "nothing": ("integer", pl.Series([None])),
    "text in other json": ("json", pl.Series(["{}"])),
    "bytes in json": ("jsonb", pl.Series([b"{}"])),
    "fixed width text": ("character", pl.Series(["a"])),
}


@pytest.fixture(scope="module")
def shared_url(template_database: tuple[str, str]) -> Iterator[str]:
    with copied_database(*template_database) as url:
        yield url


@pytest.fixture
def connection(shared_url: str) -> Iterator[Connection]:
    with connect(shared_url) as opened:
        yield opened
        opened.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(TABLE))


def create(connection: Connection, columns: str) -> None:
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(TABLE, sql.SQL(columns)))


def content(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(sql.SQL("SELECT * FROM {}").format(TABLE)).fetchall()


def test_each_supported_type_is_tested() -> None:
    assert set(COPY_TYPES.values()) == set(VALUES)
    assert set(AS_TEXT) == FROM_TEXT


@pytest.mark.parametrize("kind", VALUES)
def test_values_arrive_as_they_were(connection: Connection, kind: str) -> None:
    dtype, values = VALUES[kind]
    create(connection, f"value {kind}")
    copy_frame(connection, TABLE, pl.DataFrame({"value": pl.Series(values, dtype=dtype)}))
    assert [value for (value,) in content(connection)] == values


@pytest.mark.parametrize("kind", AS_TEXT)
def test_text_arrives_as_the_type_that_it_describes(connection: Connection, kind: str) -> None:
    create(connection, f"value {kind}")
    copy_frame(connection, TABLE, pl.DataFrame({"value": [*AS_TEXT[kind], None]}))
    found = connection.execute("SELECT value::text FROM public.target").fetchall()
    expected = connection.execute(
        sql.SQL("SELECT unnest(%s::text[])::{}::text").format(sql.SQL(kind)), (AS_TEXT[kind],)
    )
    assert found == [*expected.fetchall(), (None,)]


def test_infinite_days_and_moments_arrive(connection: Connection) -> None:
    """As the driver reads them: beyond what Arrow can say, wrapped around."""
    create(connection, "day date, moment timestamptz")
    days = pl.Series([2**31 - 1, -(2**31), 0], dtype=pl.Int32) + pl.lit(10_957, dtype=pl.Int32)
    moments = pl.Series([2**63 - 1, -(2**63), 0], dtype=pl.Int64) + pl.lit(946_684_800_000_000, dtype=pl.Int64)
    frame = pl.select(day=days.cast(pl.Date), moment=moments.cast(MOMENT))
    copy_frame(connection, TABLE, frame)
    found = connection.execute("SELECT day::text, moment::text FROM public.target").fetchall()
    assert found == [("infinity",) * 2, ("-infinity",) * 2, ("2000-01-01", "2000-01-01 00:00:00+00")]


def test_frames_are_sent_one_after_the_other(connection: Connection) -> None:
    create(connection, "a bigint")
    copy_frames(connection, TABLE, (pl.DataFrame({"a": [n]}) for n in range(3)))
    copy_frames(connection, TABLE, iter(()))
    assert content(connection) == [(0,), (1,), (2,)]
    with pytest.raises(TypeError, match="differ from those of the first"):
        copy_frames(connection, TABLE, [pl.DataFrame({"a": [4]}), pl.DataFrame({"a": ["x"]})])
    assert content(connection) == [(0,), (1,), (2,)]


def test_a_nan_and_the_sign_of_zero_arrive(connection: Connection) -> None:
    create(connection, "value double precision")
    copy_frame(connection, TABLE, pl.DataFrame({"value": [float("nan"), -0.0]}))
    assert [str(value) for (value,) in content(connection)] == ["nan", "-0.0"]


def test_a_moment_is_that_moment_in_every_zone(connection: Connection) -> None:
    create(connection, "value timestamptz")
    connection.execute("SET timezone = 'Asia/Kolkata'")
    copy_frame(connection, TABLE, pl.DataFrame({"value": [datetime(2024, 6, 1, 12, tzinfo=UTC)]}))
    assert connection.execute("SELECT value::text FROM public.target").fetchone() == ("2024-06-01 17:30:00+05:30",)


def test_columns_go_by_name(connection: Connection) -> None:
    create(connection, "a integer, b text DEFAULT 'kept', c bigint")
    frame = pl.DataFrame({"c": [3], "a": [1]}, schema={"c": pl.Int64, "a": pl.Int32})
    copy_frame(connection, TABLE, frame)
    assert content(connection) == [(1, "kept", 3)]


def test_a_frame_without_rows(connection: Connection) -> None:
    create(connection, "a integer, b text")
    copy_frame(connection, TABLE, pl.DataFrame(schema={"a": pl.Int32, "b": pl.String}))
    assert content(connection) == []


def test_more_rows_than_a_batch_in_several_chunks(connection: Connection) -> None:
    create(connection, "a integer, b text")
    rows = ROWS_PER_BATCH + 17
    one = pl.DataFrame({"a": pl.int_range(rows, dtype=pl.Int32, eager=True)}).with_columns(
        pl.col("a").cast(pl.String).alias("b")
    )
    copy_frame(connection, TABLE, pl.concat([one, one], rechunk=False))
    found = connection.execute(
        "SELECT count(*), sum(a), count(*) FILTER (WHERE a::text = b) FROM public.target"
    ).fetchone()
    assert found == (2 * rows, rows * (rows - 1), 2 * rows)


def test_a_slice_sends_its_own_rows(connection: Connection) -> None:
    create(connection, "a integer, b text, c boolean")
    whole = pl.DataFrame({"a": pl.int_range(100, dtype=pl.Int32, eager=True)})
    whole = whole.with_columns(pl.col("a").cast(pl.String).alias("b"), (pl.col("a") % 3 == 0).alias("c"))
    copy_frame(connection, TABLE, whole.slice(37, 5))
    assert content(connection) == whole.slice(37, 5).rows()


def test_frozen_rows_are_visible_at_once(connection: Connection) -> None:
    with connection.transaction():
        create(connection, "a integer")
        copy_frame(connection, TABLE, pl.DataFrame({"a": [1]}, schema={"a": pl.Int32}), freeze=True)
    assert content(connection) == [(1,)]


@pytest.mark.parametrize("kind", REFUSED)
def test_other_types_are_refused_and_nothing_is_sent(connection: Connection, kind: str) -> None:
    target, values = REFUSED[kind]
    create(connection, f"value {target}")
    with pytest.raises(TypeError, match=r"target.*\.value is .*, the frame's column is"):
        copy_frame(connection, TABLE, values.to_frame("value"))
    assert content(connection) == []


def test_a_column_that_the_table_lacks(connection: Connection) -> None:
    create(connection, "a integer")
    with pytest.raises(TypeError, match="other"):
        copy_frame(connection, TABLE, pl.DataFrame({"other": [1]}, schema={"other": pl.Int32}))


def test_a_nul_byte_is_an_error_of_ours_and_nothing_stays(database_url: str) -> None:
    execute(database_url, "CREATE TABLE public.target (value text)")
    with pytest.raises(TargetError) as caught, connect(database_url) as connection:
        copy_frame(connection, TABLE, pl.DataFrame({"value": ["good", "CLI-0\x00"]}))
    assert "CLI-0" not in str(caught.value)
    assert rows_of(database_url, "SELECT * FROM public.target") == []
