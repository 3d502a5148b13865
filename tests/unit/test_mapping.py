"""`feeds.toml`: what it may say, and the message for what it may not."""

from pathlib import Path

import polars as pl
import pytest

from engine.feeds import FEEDS
from engine.mapping import Source, column_expression, default_sources, read_sources
from warehouse.errors import ConfigurationError

SOURCE = '[[source]]\nfeed = "channels"\nfiles = "c*"\n'


def mapping(folder: Path, text: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_mapping_every_feed_knows_its_files_by_their_first_letters() -> None:
    covering = {source.feed.name for source in default_sources() if source.covers("clients_2024.csv")}
    assert covering == {"clients"}
    assert {source.feed.name for source in default_sources()} == set(FEEDS)


def test_a_source_says_how_its_files_are_read(tmp_path: Path) -> None:
    path = mapping(
        tmp_path,
        """
        [[source]]
        feed = "transactions"
        files = "export_*.csv"
        encoding = "cp1252"
        delimiter = ";"
        decimal = ","
        timezone = "Europe/Paris"
        columns = { amount = "Montant TTC", currency = { const = "XOF" }, client_id = { expr = "UPPER(compte)" } }

        [[source]]
        feed = "channels"
        rows = [{ channel_code = "APP", channel_name = "App" }]
        """,
    )
    first, second = read_sources(path)
    assert (first.feed.name, first.encoding, first.delimiter) == ("transactions", "cp1252", ";")
    assert (first.decimal, first.timezone) == (",", "Europe/Paris")
    assert first.covers("export_1.csv")
    assert not first.covers("transactions.csv")
    assert second.rows == ({"channel_code": "APP", "channel_name": "App"},)
    assert not second.covers("anything.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no [[source]]"),
        ("[source]\nfeed = 'channels'", "has no [[source]]"),
        ("source = ['channels']", "source 1: is not a table"),
        ("[[source]\n", "is not valid TOML"),
        ("[[source]]\nfiles = 'x*'", "unknown feed None"),
        ("[[source]]\nfeed = 'sales'\nfiles = 'x*'", "unknown feed 'sales'"),
        ("[[source]]\nfeed = ['channels']\nfiles = 'x*'", "unknown feed ['channels']"),
        ("[[source]]\nfeed = 'channels'", "needs either files or rows"),
        (SOURCE + "rows = [{ channel_code = 'A' }]", "needs either files or rows"),
        (SOURCE + "sheet = 1", "unknown option(s) sheet"),
        (SOURCE + "columns = { colour = 'x' }", "channels has no column(s) colour"),
        (SOURCE + "columns = 'channel_code'", "columns is not a table"),
        (SOURCE + "columns = { channel_code = 5 }", "column channel_code: must be a heading"),
        (SOURCE + "columns = { channel_code = { value = 5 } }", "column channel_code: must be a heading"),
        (SOURCE + "columns = { channel_code = { expr = 5 } }", "column channel_code: must be a heading"),
        (SOURCE + "columns = { channel_code = { expr = 'a ||' } }", "not valid SQL"),
        (SOURCE + "encoding = 'klingon'", "encoding = 'klingon' means nothing"),
        (SOURCE + "encoding = 'base64'", "encoding = 'base64' means nothing"),
        (SOURCE + "encoding = 8", "encoding = 8 means nothing"),
        (SOURCE + "delimiter = ';;'", "delimiter = ';;' means nothing"),
        (SOURCE + "delimiter = ''", "delimiter = '' means nothing"),
        (SOURCE + "delimiter = '\"'", "delimiter = '\"' means nothing"),
        (SOURCE + "decimal = 'comma'", "decimal = 'comma' means nothing"),
        (SOURCE + "timezone = 'Abidjan'", "timezone = 'Abidjan' means nothing"),
        ("[[source]]\nfeed = 'channels'\nfiles = 5", "files = 5 means nothing"),
        ("[[source]]\nfeed = 'channels'\nrows = ['A']", "rows is not a list of tables"),
    ],
)
def test_a_wrong_mapping_is_a_configuration_error_that_names_the_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_sources(mapping(tmp_path, text))
    assert message in raised.value.message
    assert "feeds.toml" in raised.value.message
    assert raised.value.remedy


def test_a_mapping_that_is_missing_or_no_text_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no mapping file"):
        read_sources(tmp_path / "nowhere.toml")
    (tmp_path / "feeds.toml").write_bytes(b"\xff\xfe[[source]]")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        read_sources(tmp_path / "feeds.toml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Compte", ["a", "b"]),
        ({"const": "XOF"}, ["XOF", "XOF"]),
        ({"const": 7}, ["7", "7"]),
        ({"expr": "UPPER(Compte)"}, ["A", "B"]),
        ({"expr": "Compte || '-' || row_number"}, ["a-1", "b-2"]),
    ],
)
def test_a_mapped_column_is_a_heading_a_constant_or_an_expression(value: object, expected: list[str]) -> None:
    frame = pl.DataFrame({"Compte": ["a", "b"], "row_number": [1, 2]})
    assert frame.with_columns(x=column_expression(value, where="here"))["x"].to_list() == expected


def test_the_fingerprint_changes_with_whatever_changes_the_rows() -> None:
    plain = Source(FEEDS["channels"], files="a*")
    assert plain.fingerprint == Source(FEEDS["channels"], files="b*").fingerprint
    others = [
        Source(FEEDS["channels"], columns={"channel_code": "x"}),
        Source(FEEDS["channels"], encoding="cp1252"),
        Source(FEEDS["channels"], delimiter=";"),
        Source(FEEDS["channels"], decimal=","),
        Source(FEEDS["channels"], timezone="UTC"),
    ]
    assert len({plain.fingerprint, *(other.fingerprint for other in others)}) == 6
