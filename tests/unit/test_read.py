"""Files of text and of typed columns give the same rows; single rows can be picked again."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.mapping import Source
from engine.read import open_reader
from tests.frames import GOOD, lines_of, read_and_check, rows, source_file, table_file, text_file
from tests.frames import read as read_file
from warehouse.errors import ConfigurationError, SourceError

MOMENT = datetime(2024, 5, 17, 10, tzinfo=UTC)
TYPED = {
    "transaction_id": ["T1", "T2", "T3"],
    "transaction_ts": [MOMENT] * 3,
    "client_id": [101, 102, None],
    "service_id": ["SAL", "SUP", "SAL"],
    "currency": ["XOF", "GHS", "TND"],
    "amount": [Decimal("1500.000"), Decimal("10.250"), Decimal("1.005")],
    "commission": [15.0, 0.25, None],
    "status": ["SUCCESS", "FAILED", "PENDING"],
    "processing_ms": [12, None, 3],
}


def typed_frame(**overrides: Any) -> pl.DataFrame:
    dtypes = {"amount": pl.Decimal(18, 3), "transaction_ts": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame(TYPED, schema_overrides=dtypes)
    return frame.with_columns(**{name: pl.Series(values) for name, values in overrides.items()})


@pytest.mark.parametrize(
    "moments",
    [
        pl.Series([MOMENT] * 3, dtype=pl.Datetime("ns", "UTC")),
        pl.Series([MOMENT] * 3, dtype=pl.Datetime("ms", "UTC")).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series([MOMENT.replace(tzinfo=None)] * 3, dtype=pl.Datetime("us")),
        pl.Series(["2024-05-17T10:00:00Z"] * 3),
    ],
)
def test_typed_columns_are_checked_like_text(moments: pl.Series, tmp_path: Path) -> None:
    checked = read_and_check(table_file(tmp_path, "transactions", typed_frame(transaction_ts=moments)))
    assert checked.reasons == {3: ["client_id_missing"]}
    assert checked.good["client_id"].to_list() == ["101", "102"]
    assert checked.good["transaction_ts"].to_list() == [MOMENT] * 2
    assert checked.good["amount"].to_list() == [15_000_000, 102_500]
    assert checked.good["commission"].to_list() == [150_000, 2_500]


def test_a_table_of_text_gives_the_rows_of_the_same_text_file(tmp_path: Path) -> None:
    changes = [{}, {"amount": "1.005"}, {"status": " FAILED "}, {"updated_at": ""}, {"location_code": "é" * 300}]
    content = lines_of("transactions", *changes)
    as_text = read_and_check(text_file(tmp_path, "transactions", content))
    frame = pl.read_csv(content.encode(), infer_schema=False)
    as_table = read_and_check(table_file(tmp_path, "transactions", frame))
    assert_frame_equal(rows(as_text.batches), rows(as_table.batches))
    assert as_text.reasons == as_table.reasons == {2: ["amount_too_precise"], 5: ["field_too_long"]}


def test_a_nul_within_typed_text_refuses_its_row(tmp_path: Path) -> None:
    checked = read_and_check(
        table_file(tmp_path, "transactions", typed_frame(status=["SUCCESS", "FAI\x00LED", "FAILED"]))
    )
    assert checked.reasons == {2: ["broken_text"], 3: ["client_id_missing"]}
    assert checked.refused_values[2]["status"] == "FAI\x00LED"


def test_bytes_are_text_if_they_can_be(tmp_path: Path) -> None:
    names = pl.Series([b"Kon\xc3\xa9", b"Kon\xe9", None], dtype=pl.Binary)
    frame = pl.DataFrame({"channel_code": ["A", "B", "C"], "channel_name": names})
    checked = read_and_check(table_file(tmp_path, "channels", frame))
    assert checked.good["channel_name"].to_list() == ["Koné"]
    assert checked.reasons == {2: ["broken_text"], 3: ["channel_name_missing"]}
    assert checked.refused_values[2]["channel_name"] == "Kon\ufffde9"


@pytest.mark.parametrize(
    ("dtype", "outside", "reason"),
    [
        (pl.Datetime("ms", "UTC"), 2**62, "transaction_ts_invalid"),
        (pl.Datetime("ms"), -(2**62), "transaction_ts_invalid"),
        (pl.Datetime("us"), 2**62, "transaction_ts_invalid"),
        (pl.Datetime("us", "Europe/Paris"), 253_402_300_799_000_000, "transaction_ts_in_future"),
        (pl.Datetime("ms"), -62_135_596_800_000, "transaction_ts_too_old"),
        (pl.Date, 2**31 - 1, "transaction_ts_invalid"),
        (pl.Datetime("ns"), 2**63 - 1, "transaction_ts_in_future"),
    ],
)
def test_a_moment_outside_the_calendar_refuses_its_row(dtype: Any, outside: int, reason: str, tmp_path: Path) -> None:
    physical = pl.Int32 if dtype == pl.Date else pl.Int64
    inside = pl.Series([MOMENT.date() if dtype == pl.Date else MOMENT.replace(tzinfo=None)])
    inside = inside if dtype == pl.Date else inside.dt.cast_time_unit(dtype.time_unit)
    values = pl.Series([inside.to_physical()[0], outside, None], dtype=physical).cast(dtype)
    checked = read_and_check(table_file(tmp_path, "transactions", typed_frame(transaction_ts=values)))
    assert checked.reasons == {2: [reason], 3: ["transaction_ts_missing", "client_id_missing"]}
    moment = checked.good["transaction_ts"].item()
    assert moment.date() == date(2024, 5, 17)
    assert set(checked.refused_values) == {2, 3}


@pytest.mark.parametrize("values", [[["a"], ["b"], ["c"]], [{"a": 1}, {"a": 2}, {"a": 3}]])
def test_a_column_of_lists_or_records_is_refused(values: list[Any], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a field must be one value, but that is not the type of 'status'") as raised:
        open_reader(table_file(tmp_path, "transactions", typed_frame(status=values)))
    assert raised.value.remedy
    assert open_reader(table_file(tmp_path, "transactions", typed_frame(basket=values))).unused == ("basket",)


def test_a_table_may_have_columns_called_like_those_of_the_reader(tmp_path: Path) -> None:
    frame = typed_frame(row_number=[7, 8, 9], __extra=["x", "y", "z"])
    checked = read_and_check(table_file(tmp_path, "transactions", frame))
    assert checked.reasons == {3: ["client_id_missing"]}


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    file = table_file(tmp_path, "transactions", pl.concat([typed_frame()] * 2_000))
    assert file.path is not None
    whole = file.path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-4], b"PAR1", b"", b"transaction_id,amount\n1,2\n"):
        with pytest.raises(SourceError, match=r"transactions\.parquet is no whole Parquet file"):
            read_file(source_file(file.path, "transactions", content))


def test_a_table_at_which_polars_panics_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(path: Path) -> pl.LazyFrame:
        raise pl.exceptions.PanicException("not yet implemented")

    file = table_file(tmp_path, "transactions", typed_frame())
    reader = open_reader(file)
    monkeypatch.setattr(pl, "scan_parquet", panic)
    for read in (lambda: list(reader.batches()), lambda: open_reader(file)):
        with pytest.raises(SourceError, match=r"transactions\.parquet is no whole Parquet file: not yet implemented"):
            read()


def test_a_table_without_rows_and_one_without_a_column(tmp_path: Path) -> None:
    assert read_and_check(table_file(tmp_path, "transactions", typed_frame().clear())).read == 0
    with pytest.raises(SourceError, match="missing amount for feed transactions"):
        open_reader(table_file(tmp_path, "transactions", typed_frame().drop("amount")))


def test_columns_are_mapped_from_headings_constants_and_expressions(tmp_path: Path) -> None:
    columns = {
        "service_id": {"expr": "UPPER(code)"},
        "service_name": "libelle long",
        "category": {"const": "BULK"},
        "commission_rate": {"expr": "TRY_CAST(taux AS DOUBLE) / 100"},
    }
    content = "code,libelle long,taux\nsal,Salaires,125\nsup,Achats,x\n"
    checked = read_and_check(text_file(tmp_path, "services", content, columns=columns))
    names = ["service_id", "service_name", "category", "commission_rate"]
    assert checked.good.select(names).rows() == [("SAL", "Salaires", "BULK", 1.25), ("SUP", "Achats", "BULK", None)]


def test_an_expression_that_fails_is_a_configuration_error_without_values(tmp_path: Path) -> None:
    columns = {"commission_rate": {"expr": "CAST(taux AS DOUBLE)"}}
    file = text_file(tmp_path, "services", "service_id,service_name,taux\nA,B,secret\n", columns=columns)
    with pytest.raises(ConfigurationError, match="an expression of its mapping fails on some row") as raised:
        read_file(file)
    assert "secret" not in str(raised.value)
    assert "TRY_CAST" in raised.value.remedy


def test_a_mapping_to_a_heading_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for column in ("libelle", {"expr": "UPPER(libelle)"}):
        file = text_file(tmp_path, "services", "service_id,service_name\nA,B\n", columns={"category": column})
        with pytest.raises(SourceError, match="the mapping uses 'libelle', which its header has not"):
            open_reader(file)


def inline(*members: dict[str, Any]) -> SourceFile:
    return SourceFile(0, None, "feeds.toml:services", Source(FEEDS["services"], rows=members), 0, "hash")


def test_rows_may_stand_in_the_mapping_itself() -> None:
    first = {"service_id": 7, "service_name": "Seven", "is_active": True}
    second = {"service_id": "eight", "service_name": "Eight", "commission_rate": 1.5}
    late = {"service_id": 9.5, "service_name": "Nine", "category": "LATE"}
    checked = read_and_check(inline(first, second, *[first] * 200, late))
    assert checked.reasons == {}
    good = checked.good.select("service_id", "commission_rate", "is_active", "category")
    assert good.row(0) == ("7", None, True, None)
    assert good.row(1) == ("eight", 1.5, None, None)
    assert good.row(-1) == ("9.5", None, None, "LATE")


def test_rows_of_the_mapping_must_have_the_required_columns() -> None:
    with pytest.raises(SourceError, match=r"feeds\.toml:services: missing service_name"):
        open_reader(inline({"service_id": "A"}))


def test_rows_are_picked_by_their_numbers(tmp_path: Path) -> None:
    good = ",".join(GOOD["transactions"].values())
    quoted = good.replace("CI-ABJ", '"CI,ABJ"')
    content = ",".join(GOOD["transactions"]) + f"\n{good}\n\n{quoted}\na,b\n{good.replace('T1', 'é')}\r\n"
    reader = open_reader(text_file(tmp_path, "transactions", content))
    (lazy,) = reader.batches()
    whole = lazy.read()
    for numbers in ([1], [3], [5], [1, 3], [1, 3, 5]):
        some = lazy.pick(numbers)
        assert_frame_equal(some.frame, whole.frame.filter(pl.col("row_number").is_in(numbers)))
        assert_frame_equal(some.raw, whole.raw.filter(pl.col("row_number").is_in(numbers)))


def test_rows_are_picked_from_a_table_too(tmp_path: Path) -> None:
    (lazy,) = open_reader(table_file(tmp_path, "transactions", typed_frame())).batches()
    assert lazy.pick([2]).frame["transaction_id"].to_list() == ["T2"]
    assert lazy.pick([2]).raw.height == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("SUCCESS", "SUCCESS"),
        ("", None),
        (" ", None),
        ("SUCCESS ", "SUCCESS"),
        ("\u00a0SUCCESS", "SUCCESS"),
        ("\tSUCCESS", "SUCCESS"),
        ("été", "été"),
    ],
)
def test_odd_text_of_a_table_is_found_among_plain_text(text: str, read: str | None, tmp_path: Path) -> None:
    (batch,) = read_file(table_file(tmp_path, "transactions", typed_frame(status=["FAILED", text, "PENDING"])))
    assert batch.frame["status"].to_list() == ["FAILED", read, "PENDING"]
    assert batch.frame["fault"].to_list() == [None] * 3


@pytest.mark.parametrize(
    ("text", "fault"), [("SUC\x00CESS", "broken_text"), ("\ufffd00", "broken_text"), ("S" * 257, "field_too_long")]
)
def test_a_fault_of_one_text_of_a_table_is_found(text: str, fault: str, tmp_path: Path) -> None:
    (batch,) = read_file(table_file(tmp_path, "transactions", typed_frame(status=["FAILED", text, "PENDING"])))
    assert batch.frame["fault"].to_list() == [None, fault, None]


ODD_FIELDS = st.sampled_from(
    [" x", "x ", "\tx", '""', '" "', '"x,y"', '" x"', "é", "x é ", "\xa0x", " ", "x y", '"x""y"']
)
ODD_ROWS = st.dictionaries(
    st.integers(0, 39), st.dictionaries(st.sampled_from(["service_id", "channel_code", "location_code"]), ODD_FIELDS)
)


@given(ODD_ROWS, st.sampled_from(["\n", "\r\n"]))
def test_where_few_rows_are_odd_all_are_trimmed_like_by_themselves(odd: dict[int, dict[str, str]], end: str) -> None:
    content = lines_of("transactions", *(odd.get(row, {}) for row in range(40))).replace("\n", end)
    with TemporaryDirectory() as folder:
        (lazy,) = open_reader(text_file(Path(folder), "transactions", content)).batches()
        whole = lazy.read()
        # Of picked rows every one is trimmed.
        picked = lazy.pick(list(range(1, 41)))
    assert_frame_equal(whole.frame, picked.frame)
    texts = [row.get("channel_code", "USSD") for row in (odd.get(row, {}) for row in range(40))]
    plain = [text[1:-1].replace('""', '"') if text.startswith('"') else text for text in texts]
    assert whole.frame["channel_code"].to_list() == [text.strip() or None for text in plain]
