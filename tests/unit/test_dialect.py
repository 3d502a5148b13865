"""The dialect of a text file: what is found out, what can be told, and headers that are refused."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from engine.dialect import SAMPLE_BYTES, Dialect, is_cp1252
from engine.pieces import read_dialect
from engine.read import open_reader
from tests.frames import GOOD, lines_of, rows, source_file, text_file
from tests.frames import read as read_file
from warehouse.errors import SourceError

ACCENTS = "service_id;service_name;category\nÉ1;Règlement différé;À\nÉ2;Zoé;Ç\n"


def dialect_of(folder: Path, content: bytes, **options: str) -> Dialect:
    return read_dialect(text_file(folder, "services", content, **options))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_the_header_has_most_of(delimiter: str, tmp_path: Path) -> None:
    header = ["service_id", "service_name", "category"]
    dialect = dialect_of(tmp_path, (delimiter.join(header) + "\n" + delimiter.join("a,b;c|d") + "\n").encode())
    assert dialect.delimiter == delimiter
    assert dialect.header == tuple(header)


@pytest.mark.parametrize(
    ("encoding", "bom", "expected"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_encoding_is_found_and_the_text_read(
    encoding: str, bom: bytes, expected: str, line_end: str, tmp_path: Path
) -> None:
    content = bom + ACCENTS.replace("\n", line_end).encode(encoding)
    file = text_file(tmp_path, "services", content)
    assert read_dialect(file).encoding == expected
    frame = rows(read_file(file))
    assert frame["service_name"].to_list() == ["Règlement différé", "Zoé"]
    assert frame["category"].to_list() == ["À", "Ç"]
    assert frame["fault"].null_count() == 2


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_windows_text_is_found_behind_a_long_plain_beginning(delimiter: str, tmp_path: Path) -> None:
    plain = lines_of("services", *[{"service_id": f"S{n}"} for n in range(10_000)], delimiter=delimiter)
    assert len(plain) > SAMPLE_BYTES
    late = delimiter.join({**GOOD["services"], "service_name": "Règlement"}.values()) + "\n"
    file = text_file(tmp_path, "services", plain.encode() + late.encode("cp1252") * 200)
    assert read_dialect(file).encoding == "utf-8"
    frame = rows(read_file(file, piece_bytes=65_536))
    assert frame["fault"].null_count() == frame.height == 10_200
    assert frame["service_name"].to_list()[-200:] == ["Règlement"] * 200


def test_one_nul_does_not_turn_windows_text_into_damage(tmp_path: Path) -> None:
    plain = lines_of("services", *[{"service_id": f"S{n}"} for n in range(10_000)], delimiter=";").encode()
    late = ";".join({**GOOD["services"], "service_name": "Règlement"}.values()).encode("cp1252") + b"\n"
    nul = ";".join({**GOOD["services"], "service_name": "Cr\x00édit"}.values()).encode("cp1252") + b"\n"
    frame = rows(read_file(text_file(tmp_path, "services", plain + late * 200 + nul)))
    assert frame.filter(frame["fault"].is_not_null())["row_number"].to_list() == [10_201]
    assert frame["fault"][-1] == "broken_text"
    assert frame["service_name"][-2] == "Règlement"


def test_a_few_broken_bytes_are_damage_and_many_are_windows_text() -> None:
    plain, broken, accented = b"a,b,c\n", b"a,\xe9,c\n", "a,é,c\n".encode()
    assert is_cp1252(plain * 10 + broken)
    assert not is_cp1252(plain * 1_000 + broken)
    assert is_cp1252(b"a;b\n" * 1_000 + b"a;\xe9\n")
    assert not is_cp1252(broken * 10 + accented)


def test_what_is_told_wins_over_what_is_found(tmp_path: Path) -> None:
    content = "a|b;service_id|service_name\n1,5|x;y|z\n".encode("cp1252")
    dialect = dialect_of(tmp_path, content, encoding="cp1252", delimiter="|", decimal=".")
    assert dialect == Dialect("cp1252", "|", False, ("a", "b;service_id", "service_name"), is_told=True)


@pytest.mark.parametrize(("mark", "told"), [(b"\xef\xbb\xbf", {}), (b"", {"encoding": "utf-8"})])
def test_a_broken_byte_is_damage_where_the_encoding_is_no_guess(
    tmp_path: Path, mark: bytes, told: dict[str, str]
) -> None:
    """However few lines there are: without a mark this file would pass for Windows text."""
    content = lines_of("services", {"service_id": "S1", "service_name": "Cr?dit"}).encode().replace(b"?", b"\xc3(")
    assert rows(read_file(text_file(tmp_path, "services", mark + content, **told)))["fault"].to_list() == [
        "broken_text"
    ]
    assert rows(read_file(text_file(tmp_path, "services", content)))["fault"].to_list() == [None]


@pytest.mark.parametrize(
    ("header", "line", "decimal_comma"),
    [
        ("service_id;service_name;commission_rate", "A;B;1,25", True),
        ("service_id;service_name;commission_rate", "A;B;1.25", False),
        ("service_id;service_name;commission_rate", "A;B;1 234,5", True),
        ("service_id;service_name;commission_rate", "A;B;1\u00a0234,5", True),
        ("service_id;service_name;commission_rate", "A;B;1\u202f234,5", True),
        ("service_id;service_name;commission_rate", "A;B;12", False),
        ("service_id;service_name;commission_rate", "Abidjan, Plateau;B;12", False),
        ("service_id,service_name,commission_rate", 'A,B,"1,25"', False),
        ("service_id\tservice_name\tcommission_rate", "A\tB\t-0,5", True),
    ],
)
def test_the_decimal_mark_is_the_one_that_most_numbers_have(
    header: str, line: str, decimal_comma: bool, tmp_path: Path
) -> None:
    assert dialect_of(tmp_path, f"{header}\n{line}\n".encode()).decimal_comma is decimal_comma


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packed_files_are_read_and_truncated_ones_refused(packing: str, tmp_path: Path) -> None:
    whole = lines_of("services", *[{"service_id": f"S{n * 7919 % 1_000_003}"} for n in range(20_000)]).encode()
    packed = gzip.compress(whole) if packing == "gz" else pa.compress(whole, "zstd", asbytes=True)
    path = tmp_path / f"services.csv.{packing}"
    assert rows(read_file(source_file(path, "services", packed))).height == 20_000
    for content in (packed[: len(packed) // 2], packed[:-3], packed[:5], b"not packed at all,\n" * 9):
        with pytest.raises(SourceError, match=rf"services\.csv\.{packing} is (damaged|empty)") as raised:
            read_file(source_file(path, "services", content))
        assert "export" in raised.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\r\n\r\n", b" \t\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\n\x00"]
)
def test_an_empty_file_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"services\.csv is empty: it has not even a header"):
        open_reader(text_file(tmp_path, "services", content))


HEADER = "service_id,service_name,category"


@pytest.mark.parametrize(
    ("content", "message", "remedy"),
    [
        (HEADER + ",category\na,b,c,d\n", "names 'category' more than once", "rename or remove"),
        (HEADER + ",,\na,b,c,d,e\n", "names '' more than once", "rename or remove"),
        ("\n" + HEADER + "\na,b,c\n", "the first line is blank", "remove the blank lines"),
        ("\ufeff  \n" + HEADER + "\na,b,c\n", "the first line is blank", "remove the blank lines"),
        (HEADER + "\ra,b,c\rd,e,f", "carriage return", "LF or CR LF"),
        (HEADER + "\ra,b,c\rd,e,f\n", "carriage return", "LF or CR LF"),
        (HEADER + "," + "x" * 200_000, "more than 65,536 characters", "first line names the columns"),
    ],
)
def test_a_header_that_is_none_is_refused(content: str, message: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        open_reader(text_file(tmp_path, "services", content))
    assert message in raised.value.message
    assert "services.csv" in raised.value.message
    assert remedy in raised.value.remedy


@pytest.mark.parametrize(
    ("header", "message", "remedy"),
    [
        ("service_id,category", "missing service_name for feed services; found service_id, category", "docs/feeds.md"),
        ("service_id,service_nam", "missing service_name", "is 'service_nam' perhaps service_name?"),
        ("service_id;Libelle du service", "missing service_name", "docs/feeds.md"),
        ("channel_code,channel_name", "missing service_id, service_name", "this looks like the feed channels"),
        ("code_canal;libelle_canal", "missing service_id, service_name", "rename the file to channels_..."),
        ("S1,Salaries,BULK", "missing service_id, service_name", "docs/feeds.md"),
    ],
)
def test_a_header_of_another_feed_or_without_a_column_is_refused(
    header: str, message: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as raised:
        open_reader(text_file(tmp_path, "services", header + "\nx,y,z\n"))
    assert message in raised.value.message
    assert remedy in raised.value.remedy


def test_the_facts_of_a_missing_column_stand_on_the_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        open_reader(text_file(tmp_path, "services", "service_id\nx\n"))
    assert raised.value.facts == {"missing": ["service_name"]}


def test_extra_columns_are_named_and_left_out(tmp_path: Path) -> None:
    file = text_file(tmp_path, "services", "colour,service_id,service_name,taste\nred,A,B,sweet\n")
    assert open_reader(file).unused == ("colour", "taste")
    assert rows(read_file(file)).select("service_id", "service_name").rows() == [("A", "B")]


@pytest.mark.parametrize("taken", ["row_number", "__extra"])
def test_a_heading_may_be_called_like_a_column_of_the_reader(taken: str, tmp_path: Path) -> None:
    file = text_file(tmp_path, "services", f"{taken},service_id,service_name\n77,A,B\n88,C\n")
    frame = rows(read_file(file))
    assert frame["row_number"].to_list() == [1, 2]
    assert frame["fault"].to_list() == [None, "too_few_fields"]
    assert frame["service_id"].to_list() == ["A", None]


def test_columns_may_stand_in_any_order_under_quoted_french_headings(tmp_path: Path) -> None:
    file = text_file(tmp_path, "services", '"Libellé service";"Identifiant-Service" \nSalaires;SAL\n')
    assert rows(read_file(file)).select("service_id", "service_name").rows() == [("SAL", "Salaires")]


def test_a_header_alone_is_a_file_of_no_rows(tmp_path: Path) -> None:
    for content in (HEADER, HEADER + "\n", HEADER + "\r\n", HEADER + "\n\n\n"):
        batches = read_file(text_file(tmp_path, "services", content))
        assert sum(batch.raw.height for batch in batches) == 0
