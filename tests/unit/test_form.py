"""What is remembered of a file, so that its refused rows can be read again as it was."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feeds import FEEDS
from engine.form import Form, form_of, typed
from engine.kept import Bench, keep
from engine.quarantine import Box, Values
from engine.read import Reader, open_reader
from engine.selection import RefusedRow
from tests.frames import KEYRING, lines_of, read_and_check, table_file, text_file
from warehouse.errors import SourceError


def test_the_form_of_a_text_file(tmp_path: Path) -> None:
    content = "Devise;montant;x\nXOF;1 000,50;\n".encode("cp1252")
    columns = {"service_id": {"const": "S"}, "service_name": "x"}
    form = form_of(open_reader(text_file(tmp_path, "services", content.decode(), columns=columns, timezone="UTC")))
    assert form == Form(("Devise", "montant", "x"), ";", True, "UTC", {}, columns)
    assert form.source(FEEDS["services"]).columns == columns
    assert form.dialect is not None
    assert form.dialect.decimal_comma


def test_the_form_of_a_table(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "channel_code": pl.Series(["A"]),
            "channel_name": pl.Series([1.5]),
            "when": pl.Series([None], dtype=pl.Datetime("ms", "Africa/Nairobi")),
            "sum": pl.Series([None], dtype=pl.Decimal(12, 2)),
            "time": pl.Series([None], dtype=pl.Time),
        }
    )
    form = form_of(open_reader(table_file(tmp_path, "channels", frame)))
    assert form.delimiter is None
    assert form.dialect is None
    assert form.types == {"channel_name": "Float64", "when": "Datetime ms Africa/Nairobi", "sum": "Decimal 12 2"}


def test_a_form_survives_its_way_through_json() -> None:
    form = Form(("a", "b"), "|", False, None, {"a": "Int8"}, {"status": {"expr": "x"}})
    again = Form.from_json(json.loads(form.to_json()))
    assert (again, again.digest) == (form, form.digest)
    assert form.digest != Form(("b", "a"), "|", False, None, {"a": "Int8"}, {"status": {"expr": "x"}}).digest


VALUES: dict[str, tuple[pl.DataType, list[Any]]] = {
    "Int16": (pl.Int16(), [None, -5, 32767]),
    "UInt64": (pl.UInt64(), [0, 2**64 - 1]),
    "Float32": (pl.Float32(), [0.1, -1e30, None]),
    "Float64": (pl.Float64(), [0.1, float("inf"), float("nan"), 5.0]),
    "Boolean": (pl.Boolean(), [True, False, None]),
    "Date": (pl.Date(), [date(1, 1, 1), date(9999, 12, 31)]),
    "moments": (pl.Datetime("us"), [datetime(2024, 2, 29, 1, 2, 3, 45)]),  # noqa: DTZ001
    "nanoseconds": (pl.Datetime("ns"), [datetime(2024, 2, 29, 1, 2, 3, 45)]),  # noqa: DTZ001
    "moments of a zone": (pl.Datetime("us", "Africa/Casablanca"), [datetime(2024, 4, 14, 2, 30)]),  # noqa: DTZ001
    "Decimal": (pl.Decimal(20, 4), [Decimal("1.5000"), Decimal("-0.0001"), None]),
    "String": (pl.String(), ["", " x ", None, "1"]),
}


@pytest.mark.parametrize(("dtype", "values"), VALUES.values(), ids=VALUES)
def test_typed_values_come_back_as_they_were(tmp_path: Path, dtype: pl.DataType, values: list[Any]) -> None:
    """Through the payload of quarantine: every row is refused, for it has no name."""
    column = pl.Series("extra", values, dtype=dtype)
    frame = column.to_frame().with_columns(channel_code=pl.lit("C"), channel_name=pl.lit(None, pl.String))
    file = table_file(tmp_path, "channels", frame)
    reader, checked = open_reader(file), read_and_check(file)
    form, box = form_of(reader), Box(KEYRING)
    held = [box.open(payload) for payload in checked.sealed.sort("row_number")["payload"]]
    texts = pl.DataFrame(held, schema=dict.fromkeys(form.headings, pl.String))
    (again,) = typed(texts, form)
    assert again["extra"].equals(frame["extra"], null_equal=True)
    assert again.schema["extra"] == dtype


def test_what_would_lose_something_stays_text() -> None:
    form = Form(("sum", "number"), types={"sum": "Decimal 8 2", "number": "Int8"})
    texts = pl.DataFrame({"sum": ["1.50", "1.505", "1.50"], "number": ["1", "2", "300"]})
    whole, lost = typed(texts, form)
    assert whole.rows() == [(Decimal("1.50"), 1)]
    assert lost.rows() == [("1.505", "2"), ("1.50", "300")]


@settings(deadline=None)
@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=5).map(str), min_size=1, max_size=20))
def test_no_amount_is_ever_rounded(amounts: list[str]) -> None:
    form = Form(("sum",), types={"sum": "Decimal 15 2"})
    texts = pl.DataFrame({"sum": amounts})
    frames = typed(texts, form)
    found = [value for frame in frames for value in frame["sum"]]
    assert sorted(map(Decimal, map(str, found))) == sorted(map(Decimal, amounts))


def refused(number: int, values: Values, **changes: Any) -> RefusedRow:
    held = {
        "number": number,
        "content_hash": "h",
        "file_name": "f.csv",
        "feed": "channels",
        "contract": "1-x",
        "row_number": number + 10,
        "reasons": ["channel_name_missing"],
        "attempts": 0,
        "run": 1,
        "form_id": 1,
        "is_corrected": False,
        "values": values,
        **changes,
    }
    return RefusedRow(**held)


FORM = Form(("channel_code", "channel_name"), ";")
BENCH = Bench({1: FORM}, KEYRING)


def frames_of(reader: Reader) -> pl.DataFrame:
    return pl.concat([lazy.read().frame for lazy in reader.batches()])


def test_kept_rows_have_their_own_numbers() -> None:
    rows = [
        refused(3, {"channel_code": "A", "channel_name": None}),
        refused(9, {"channel_code": " B ", "channel_name": "b"}),
    ]
    (kept,) = keep(rows, BENCH)
    assert frames_of(kept.reader).rows() == [(13, "A", None, None), (19, "B", "b", None)]
    assert kept.rows.rows() == [(13, 3, None), (19, 9, None)]


def test_each_line_is_judged_by_itself() -> None:
    lines = ['A;"open', 'B;"two\nlines"', "C;3;too many", "D", "E;fine"]
    (kept,) = keep([refused(n, {"line": line}) for n, line in enumerate(lines)], BENCH)
    found = {row[0]: row[-1] for row in frames_of(kept.reader).rows()}
    assert found == {10: "unclosed_quote", 11: "line_break", 12: "too_many_fields", 13: "too_few_fields", 14: None}


def test_a_corrected_line_that_holds_several() -> None:
    with pytest.raises(SourceError, match="row 12: the corrected line is not one row"):
        keep([refused(2, {"line": "A;a\nB;b"})], BENCH)


def test_files_and_forms_are_kept_apart() -> None:
    rows = [
        refused(1, {"channel_code": "A"}),
        refused(2, {"channel_code": "A"}, contract="1-y"),
        refused(3, {"channel_code": "A"}, content_hash="i"),
        refused(4, {"channel_code": "A"}, content_hash="i", form_id=2),
    ]
    kept = keep(rows, Bench({1: FORM, 2: Form(FORM.headings, ",")}, KEYRING), first_number=5)
    assert [one.file.number for one in kept] == [5, 6, 7, 8]
    assert [one.rows["quarantine_id"].to_list() for one in kept] == [[1], [2], [3], [4]]


def test_another_attempt_or_other_values_are_other_work() -> None:
    values: list[RefusedRow] = [
        refused(1, {"channel_code": "A"}),
        refused(1, {"channel_code": "A"}, attempts=1),
        refused(1, {"channel_code": "B"}),
        refused(2, {"channel_code": "A"}),
    ]
    identities = {keep([row], BENCH)[0].file.identity for row in values}
    assert len(identities) == 4
    assert keep([values[0]], BENCH)[0].file.identity == keep([values[0]], BENCH)[0].file.identity


def test_a_good_line_of_the_feed_is_still_good(tmp_path: Path) -> None:
    """The helpers of this file write what a file holds."""
    assert read_and_check(text_file(tmp_path, "channels", lines_of("channels", {}))).reasons == {}
