"""Refused rows go out as files, and come back as a person changed them."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correction import Export, checked, read_corrections
from engine.form import Form
from engine.quarantine import Values
from engine.selection import RefusedRow
from tests.unit.test_form import refused
from warehouse.errors import ConfigurationError, SourceError

FORM = Form(("channel_code", "channel_name"), ";")


def there_and_back(rows: list[RefusedRow], form: Form) -> list[RefusedRow]:
    with tempfile.TemporaryDirectory() as folder:
        (path,) = Export(Path(folder) / "out.csv", {1: form}).write(rows)
        found = read_corrections(path)
    return [row.corrected(checked(found[row.number], row, form)) for row in rows]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.fixed_dictionaries({"channel_code": TEXT | st.none(), "channel_name": TEXT | st.none()}),
            st.fixed_dictionaries({"line": TEXT.filter(bool)}),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_nobody_changed_is_no_correction(values: list[Values], delimiter: str) -> None:
    rows = [refused(number, one) for number, one in enumerate(values)]
    assert there_and_back(rows, Form(FORM.headings, delimiter)) == rows


def test_empty_and_missing_are_the_same() -> None:
    row = refused(1, {"channel_code": "A", "channel_name": None})
    assert not row.corrected({"channel_code": "A", "channel_name": ""}).is_news
    assert row.corrected({"channel_code": "A", "channel_name": " "}).is_news
    assert row.corrected({"channel_code": "A", "channel_name": "a"}).values == {
        "channel_code": "A",
        "channel_name": "a",
    }


HEADER = "cauri_id;cauri_file;cauri_row;cauri_reasons;cauri_line;channel_code;channel_name\n"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "corrected.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_what_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    found = read_corrections(written(tmp_path, HEADER + "7;f.csv;17;x;;É;é\r\n;;;;;;\r\n", encoding))
    assert {number: one.values for number, one in found.items()} == {7: {"channel_code": "É", "channel_name": "é"}}


def test_columns_that_are_filled_in_count_before_the_line(tmp_path: Path) -> None:
    found = read_corrections(written(tmp_path, HEADER + "7;f.csv;17;x;A,a;A;\n8;f.csv;18;x;B,b;;\n"))
    assert found[7].values == {"channel_code": "A", "channel_name": None}
    assert found[8].values == {"line": "B,b"}


WRONG = {
    "empty": ("", "lacks, or names twice, cauri_id, cauri_file, cauri_row, cauri_line"),
    "a column twice": (HEADER.strip() + ";channel_name\n", "names twice, channel_name"),
    "a short row": (HEADER + "7;f.csv;17;x;\n", "row 1: 5 fields, but the header has 7"),
    "no id": (HEADER + ";f.csv;17;x;;A;a\n", "row 1: its cauri_id is missing"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_files_that_cannot_be_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_corrections(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_corrections(tmp_path / "none.csv")


def test_messages_hold_no_values(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER.replace("channel_name", "name") + "7;f.csv;17;x;;SECRET;SECRET\n")
    row = refused(7, {"channel_code": "SECRET", "channel_name": "SECRET"})
    with pytest.raises(SourceError) as error:
        checked(read_corrections(path)[7], row, FORM)
    assert "SECRET" not in str(error.value)
    assert "'channel_name', 'name'" in str(error.value)
