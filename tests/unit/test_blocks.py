"""Lines become blocks: faults are cut out with their text, and where a block ends changes nothing."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.fields import FAULTS_OF_LINES
from tests.frames import Checked, read_and_check, rows, text_file
from tests.frames import read as read_file
from warehouse.errors import SourceError

HEADER = "service_id,service_name,category\n"
WITH_FOLDER = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

Line = tuple[int, str | None, str | None, str | None, str | None]


def lines_of(folder: Path, body: str | bytes, piece_bytes: int | None = None) -> list[Line]:
    content = HEADER.encode() + (body.encode() if isinstance(body, str) else body)
    frame = rows(read_file(text_file(folder, "services", content), piece_bytes))
    return frame.select("row_number", "service_id", "service_name", "category", "fault").rows()


def fault(number: int, reason: str) -> Line:
    return number, None, None, None, reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a,b,c\n", [(1, "a", "b", "c", None)]),
        ("a,b,c", [(1, "a", "b", "c", None)]),
        ("a,b,c\r\nd,e,f\r\n", [(1, "a", "b", "c", None), (2, "d", "e", "f", None)]),
        (" a ,\tb,\u00a0c\u00a0\n", [(1, "a", "b", "c", None)]),
        ("a,b,\n", [(1, "a", "b", None, None)]),
        ("a,,\n", [(1, "a", None, None, None)]),
        (",,\n", [(1, None, None, None, None)]),
        ('"",b," "\n', [(1, None, "b", None, None)]),
        ('"a,1","b ""B"" b",c\n', [(1, "a,1", 'b "B" b', "c", None)]),
        ('"a","b","c"\r\n"d","e","f"', [(1, "a", "b", "c", None), (2, "d", "e", "f", None)]),
        ('a,5" by 4",c\n', [(1, "a", '5" by 4"', "c", None)]),
        ('a"b,c"d,e\n', [(1, 'a"b', 'c"d', "e", None)]),
    ],
)
def test_what_is_fine(body: str, expected: list[Line], tmp_path: Path) -> None:
    assert lines_of(tmp_path, body) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,b", "too_few_fields"),
        ("a", "too_few_fields"),
        ("a,b,c,d", "too_many_fields"),
        ("a,b,c,", "too_many_fields"),
        ("a,b,c,,,,,,", "too_many_fields"),
        ('"a,b",c', "too_few_fields"),
        ('"a","b","c","d"', "too_many_fields"),
        ('a"b,c"d,z,e', "too_many_fields"),
        ('O"Brien,b,c', "unclosed_quote"),
        ('"abc"def,b,c', "unclosed_quote"),
        ('a,"b" ,c', "unclosed_quote"),
        ('a,"b,c', "unclosed_quote"),
        ('a,b,"', "unclosed_quote"),
        ('"a"",b,c', "unclosed_quote"),
        ('"a\nb",c,d', "line_break"),
        ('"a\n\n\nb","c\nc",d', "line_break"),
    ],
)
def test_a_fault_is_cut_out_and_its_neighbours_stay(line: str, reason: str, tmp_path: Path) -> None:
    # The neighbours are without quotes: an open one may close in the next record, and then nobody can tell.
    after = 3 + line.count("\n")
    for body in (f"x,y,z\n{line}\nx,y,z\n", f"x,y,z\r\n{line}\r\nx,y,z"):
        expected = [(1, "x", "y", "z", None), fault(2, reason), (after, "x", "y", "z", None)]
        assert lines_of(tmp_path, body) == expected
    assert lines_of(tmp_path, line) == [fault(1, reason)]


def test_short_and_long_lines_do_not_cancel_out(tmp_path: Path) -> None:
    short, long = "too_few_fields", "too_many_fields"
    assert lines_of(tmp_path, "a,b\nc,d,e,f\ng,h,i\n")[:2] == [fault(1, short), fault(2, long)]
    # The extra field is empty: no parser shows it.
    assert lines_of(tmp_path, "a,b\nc,d,e,\ng,h,i\n")[:2] == [fault(1, short), fault(2, long)]
    assert lines_of(tmp_path, "c,d,e,\ng,h,i\na,b\n") == [fault(1, long), (2, "g", "h", "i", None), fault(3, short)]
    assert lines_of(tmp_path, "\nc,d,e,,\ng,h,i\n") == [fault(2, long), (3, "g", "h", "i", None)]


def test_blank_lines_are_no_rows_but_count_as_lines(tmp_path: Path) -> None:
    body = "\na,b,c\n\n  \n\r\nd,e,f\n\n"
    assert lines_of(tmp_path, body) == [(2, "a", "b", "c", None), (6, "d", "e", "f", None)]


def test_blank_lines_of_a_single_column_are_no_rows_either(tmp_path: Path) -> None:
    columns = {"channel_name": {"const": "x"}}
    file = text_file(tmp_path, "channels", "channel_code\n\nA\n\nB\n", columns=columns)
    assert rows(read_file(file)).select("row_number", "channel_code").rows() == [(2, "A"), (4, "B")]


def test_single_quote_marks_do_not_swallow_what_stands_between_them(tmp_path: Path) -> None:
    body = 'O"Brien,b,c\nx,y,z\nO"Neil,b,c\nx,y,z\n'
    good = [(2, "x", "y", "z", None), (4, "x", "y", "z", None)]
    assert [line for line in lines_of(tmp_path, body) if line[4] is None] == good


def test_a_quote_that_nothing_closes_costs_one_line_only(tmp_path: Path) -> None:
    body = 'a,"b,c\n' + "x,y,z\n" * 50
    found = lines_of(tmp_path, body)
    assert found[0] == fault(1, "unclosed_quote")
    assert found[1:] == [(number, "x", "y", "z", None) for number in range(2, 52)]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"a,b\x00b,c\nx,y,z\n", "b\ufffd00b"),
        (b"a,b\xc3\x28b,c\nx,y,z\n" + b"\xc3\xa9,y,z\n", "b\ufffdc3(b"),
        (b"a,b\xffb,c\n" + b"\xc3\xa9,y,z\n", "b\ufffdffb"),
    ],
)
def test_broken_bytes_stay_readable_and_refuse_their_row_only(body: bytes, kept: str, tmp_path: Path) -> None:
    found = lines_of(tmp_path, body)
    assert found[0] == (1, "a", kept, "c", "broken_text")
    assert {line[4] for line in found[1:]} == {None}


@pytest.mark.parametrize("body", [b"a,\x81b,c\n\xe9,b,c\n", b"a,b\x00,c\n\xe9,b,c\n"])
def test_bytes_that_windows_text_does_not_have_are_broken_too(body: bytes, tmp_path: Path) -> None:
    found = lines_of(tmp_path, body)
    assert [line[4] for line in found] == ["broken_text", None]
    assert found[1][1] == "é"


def test_each_line_with_broken_bytes_is_named_and_no_other(tmp_path: Path) -> None:
    # The first byte of the mark begins other characters too.
    bodies = [b"a,\xff,c", b"a,b,c", "a,\uff01,c".encode(), b"\xff,\xff,c", b"a,b,\x00", b"a,b,c", b"\xc3,b,c"]
    found = lines_of(tmp_path, b"\n".join(bodies) + b"\n")
    assert [line[4] for line in found] == ["broken_text", None, None, "broken_text", "broken_text", None, "broken_text"]


def test_half_a_character_of_utf_16_is_broken_text(tmp_path: Path) -> None:
    content = ("\ufeff" + HEADER + "a,b,c\nx,y,z").encode("utf-16-le") + b"\x41"
    found = rows(read_file(text_file(tmp_path, "services", content)))
    assert found["fault"].to_list() == [None, "broken_text"]


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [("x" * 256, False), ("x" * 257, True), ("é" * 256, False), ("é" * 257, True), ("€" * 200, False)],
)
def test_a_field_may_have_256_characters_however_many_bytes(text: str, is_refused: bool, tmp_path: Path) -> None:
    assert (lines_of(tmp_path, f"a,{text},c\n")[0][4] == "field_too_long") is is_refused


# --- Whatever the content, a reader that knows the format finds the same fields.

TEXT = st.text(alphabet=st.sampled_from('ab",;|\té€ 0\n\r\u2028\x0b\x1c'), max_size=6)


def as_written(fields: list[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(fields)
    return stream.getvalue()


def trimmed(field: str) -> str | None:
    return field.strip(" \t\n\r\x0b\x0c\x85\u00a0\u2028") or None


def expected_lines(table: list[list[str]]) -> list[Line]:
    expected, number = [], 1
    for fields in table:
        text = as_written(fields)
        values: Line = (number, trimmed(fields[0]), trimmed(fields[1]), trimmed(fields[2]), None)
        expected.append(fault(number, "line_break") if "\n" in text[:-1] else values)
        number += text.count("\n")
    return expected


@WITH_FOLDER
@given(st.lists(st.lists(TEXT.map(lambda text: text.replace("\r\n", "\n")), min_size=3, max_size=3), max_size=8))
def test_the_fields_are_those_that_were_written(tmp_path: Path, table: list[list[str]]) -> None:
    body = "".join(map(as_written, table))
    for piece_bytes in (None, 7, 40):
        assert lines_of(tmp_path, body, piece_bytes) == expected_lines(table)


RECORDS = st.sampled_from(
    [
        "a,b,c\n",
        "a,b\n",
        "a,b,c,\n",
        "a,b,c,d\n",
        "\n",
        "é,€,ü\n",
        '"a,b",c,d\n',
        '"a\nb",c,d\n',
        '"",b,"c""c"\n',
        "\x00,b,c\n",
        " a , b,c\r\n",
        ",,\n",
        "x" * 300 + ",b,c\n",
        '"abc"def,b,c\n',
        'a,5" by 4",c\n',
    ]
)


@WITH_FOLDER
@given(st.lists(RECORDS, max_size=30), st.integers(1, 120))
def test_where_a_block_ends_changes_nothing(tmp_path: Path, records: list[str], piece_bytes: int) -> None:
    file = text_file(tmp_path, "services", HEADER + "".join(records))
    whole, parts = read_and_check(file), read_and_check(file, piece_bytes)
    assert_frame_equal(rows(whole.batches), rows(parts.batches) if parts.batches else rows(whole.batches))
    assert_frame_equal(raw(whole), raw(parts))
    assert whole.reasons == parts.reasons


def raw(checked: Checked) -> pl.DataFrame:
    frames = [
        batch.raw.select(pl.col("row_number").cast(pl.Int64), pl.exclude("row_number")) for batch in checked.batches
    ]
    return pl.concat(frames) if frames else pl.DataFrame()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252", "utf-8-sig"])
def test_where_a_block_ends_changes_nothing_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    body = 'é,"b,1",c\na,b\n"a\nb",c,ü\n\nx,y,€\n' * 3
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    file = text_file(tmp_path, "services", mark + (HEADER + body).encode(encoding))
    whole = rows(read_file(file))
    assert whole["fault"].to_list() == [None, "too_few_fields", "line_break", None] * 3
    assert whole["category"].drop_nulls().to_list() == ["c", "€"] * 3
    for piece_bytes in (1, 2, 3, 10, 33):
        assert_frame_equal(rows(read_file(file, piece_bytes)), whole)


# --- Whatever the bytes, there are rows and reasons, or an error that the caller knows.

NOISE = st.lists(
    st.sampled_from(
        [b",", b"\n", b"\r\n", b'"', b"a", b" ", b"\x00", b"\xe9", b"\xc3\xa9", b"\xff", b"\r", b'""', b"\t"]
    )
    | st.sampled_from([b'",', b'\n"', b"\xef\xbf\xbd", b"x,y,z\n", b'"q,r",s,t\n', b"\x81", b"\x0b", b";", b"|"])
    | st.binary(max_size=4),
    max_size=40,
).map(b"".join)


@WITH_FOLDER
@given(
    NOISE, st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", HEADER.encode(), HEADER.encode("utf-16")])
)
def test_no_bytes_make_it_crash(tmp_path: Path, noise: bytes, beginning: bytes) -> None:
    file = text_file(tmp_path, "services", beginning + noise)
    for piece_bytes in (None, 5):
        try:
            checked = read_and_check(file, piece_bytes)
        except SourceError as error:
            refused = error.message
        else:
            refused = ""
        if refused:
            assert "services.csv" in refused
            # With a right header rows may be refused, but not the file.
            assert not beginning.startswith(HEADER.encode())
            continue
        numbers = [number for batch in checked.batches for number in batch.raw["row_number"]]
        assert len(set(numbers)) == len(numbers) == checked.read
        good = set(checked.good["row_number"]) if checked.good.width else set()
        assert good | set(checked.reasons) == set(numbers)
        assert not good & set(checked.reasons)
        assert set(checked.refused_values) == set(checked.reasons)


def test_the_faults_of_lines_are_the_ones_tested_here() -> None:
    assert set(FAULTS_OF_LINES) == {"line_break", "unclosed_quote", "too_many_fields", "too_few_fields"}
