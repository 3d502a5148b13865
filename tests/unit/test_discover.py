"""Step 1: which files are found, in which order, and how they are known again."""

import gzip
import os
from pathlib import Path

import pytest

from engine.discover import discover
from warehouse.errors import ConfigurationError, SourceError


def names(folder: Path) -> list[str]:
    return [file.name for file in discover(folder).files]


@pytest.mark.parametrize(
    "ending", [".csv", ".txt", ".tsv", ".csv.gz", ".csv.zst", ".tsv.gz", ".parquet", ".CSV", ".PARQUET"]
)
def test_a_file_is_known_by_the_begin_and_the_ending_of_its_name(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"clients_2024{ending}").write_bytes(b"x")
    (file,) = discover(tmp_path).files
    assert file.feed.name == "clients"
    assert file.is_parquet == (ending.lower() == ".parquet")


def test_what_belongs_to_no_feed_is_named_and_what_is_no_data_is_passed_over(tmp_path: Path) -> None:
    for name in ("clients.csv", "sales.csv", "clients.xlsx", "README.md", ".clients.csv", "clients.parquet.gz"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "transactions.csv").mkdir()
    discovery = discover(tmp_path)
    assert [file.name for file in discovery.files] == ["clients.csv"]
    assert discovery.ignored == ("clients.parquet.gz", "sales.csv")


def test_dimensions_come_before_transactions_and_names_give_the_order(tmp_path: Path) -> None:
    for name in ("transactions_b.csv", "transactions_a.csv", "fraud_labels.csv", "clients.csv", "services.csv"):
        (tmp_path / name).write_bytes(name.encode())
    files = discover(tmp_path).files
    expected = ["services.csv", "clients.csv", "transactions_a.csv", "transactions_b.csv", "fraud_labels.csv"]
    assert [file.name for file in files] == expected
    assert [file.number for file in files] == [0, 1, 2, 3, 4]


def test_the_same_content_is_read_once_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "clients_1.csv").write_bytes(b"same")
    (tmp_path / "clients_2.csv").write_bytes(b"same")
    (tmp_path / "services.csv").write_bytes(b"same")
    discovery = discover(tmp_path)
    assert [file.name for file in discovery.files] == ["services.csv", "clients_1.csv"]
    assert discovery.same_content == ("clients_2.csv (same content as clients_1.csv)",)


def test_the_identity_of_a_file_is_its_content_its_feed_and_its_contract(tmp_path: Path) -> None:
    def identity(folder: str, name: str, content: bytes, mapping: str = "") -> tuple[str, str, str]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
        if mapping:
            (tmp_path / folder / "feeds.toml").write_text(mapping)
        return discover(tmp_path / folder).files[0].identity

    first = identity("a", "clients.csv", b"content")
    assert first == identity("b", "clients_renamed.csv", b"content")
    assert first != identity("c", "clients.csv", b"other")
    assert first != identity("d", "services.csv", b"content")
    mapped = '[[source]]\nfeed = "clients"\nfiles = "clients*"\ntimezone = "Europe/Paris"'
    assert first != identity("e", "clients.csv", b"content", mapped)


def test_a_mapping_says_what_belongs_where(tmp_path: Path) -> None:
    (tmp_path / "export_1.csv").write_bytes(b"x")
    (tmp_path / "clients.csv").write_bytes(b"y")
    files = '[[source]]\nfeed = "transactions"\nfiles = "export*"\n'
    mapping = files + '[[source]]\nfeed = "channels"\nrows = [{ channel_code = "A" }]'
    (tmp_path / "feeds.toml").write_text(mapping)
    discovery = discover(tmp_path)
    assert [(file.name, file.feed.name) for file in discovery.files] == [
        ("feeds.toml:channels", "channels"),
        ("export_1.csv", "transactions"),
    ]
    assert discovery.files[0].path is None
    assert discovery.ignored == ("clients.csv",)


def test_another_mapping_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text("this is no TOML")
    (tmp_path / "clients.csv").write_bytes(b"y")
    other = tmp_path / "other.toml"
    other.write_text('[[source]]\nfeed = "services"\nfiles = "clients*"')
    assert discover(tmp_path, other).files[0].feed.name == "services"


def test_a_folder_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(ConfigurationError, match="is not a directory"):
            discover(folder)


@pytest.mark.parametrize("present", [[], ["sales.csv"], ["README.md", "clients.xlsx"]])
def test_a_folder_without_any_file_of_a_feed_is_a_source_error(present: list[str], tmp_path: Path) -> None:
    for name in present:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=rf"holds no file of any feed \({len(present)} files seen\)") as raised:
        discover(tmp_path)
    assert "transactions" in raised.value.remedy
    assert "feeds.toml" in raised.value.remedy


def test_a_name_that_is_no_text_is_a_source_error(tmp_path: Path) -> None:
    name = os.fsdecode(b"transactions_f\xe9vrier.csv")
    try:
        (tmp_path / name).write_text("transaction_id\n1\n")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(
        SourceError, match=r"1 file\(s\) have a path that is not UTF-8: .*transactions_f\\xe9vrier\.csv"
    ):
        discover(tmp_path)


def test_a_link_to_nothing_is_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "transactions_1.csv").write_text("transaction_id\n1\n")
    (tmp_path / "transactions_2.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match=r"transactions_2\.csv cannot be read: No such file"):
        discover(tmp_path)


def test_compression_changes_the_content_and_so_the_identity(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_bytes(b"x")
    (tmp_path / "clients.csv.gz").write_bytes(gzip.compress(b"x"))
    assert names(tmp_path) == ["clients.csv", "clients.csv.gz"]
