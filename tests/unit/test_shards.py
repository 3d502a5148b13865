"""Good rows on disk: grouped by leaf, in the business zone, with codes in place of identifiers."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.feeds import FEEDS
from engine.parse import Locale, parse, refer
from engine.shards import (
    CODED,
    FILE_SHIFT,
    INACTIVE_SERVICE,
    SLOW,
    UPDATED_BEFORE,
    WRONG_COMMISSION,
    ZERO_AMOUNT,
    Dictionary,
    shape,
)
from engine.slices import SLICES_AT_ONCE, Shelf, read_slices, write_shard
from partitions.layout import Layout
from tests.frames import DOMAINS, GOOD


def shaped(
    *changes: dict[str, str], timezone: str = "UTC", file_number: int = 0, dictionary: Dictionary | None = None
) -> pl.DataFrame:
    rows = pl.DataFrame([{**GOOD["transactions"], **change} for change in changes])
    rows = rows.with_columns(pl.col(pl.String).replace("", None))
    rows = rows.with_row_index("row_number", offset=1).with_columns(pl.col("row_number").cast(pl.Int64))
    good = refer(parse(rows, FEEDS["transactions"], Locale("UTC", decimal_comma=False)), DOMAINS)
    return shape(good, DOMAINS, file_number, timezone, dictionary or Dictionary())


@pytest.mark.parametrize(
    ("moment", "timezone", "date_key", "time_key"),
    [
        ("2024-05-17T23:59:59Z", "UTC", 20240517, 1439),
        ("2024-05-17T23:59:59Z", "Europe/Paris", 20240518, 119),
        ("2024-05-17T00:00:00Z", "America/New_York", 20240516, 1200),
        ("2024-12-31T23:30:00Z", "Africa/Nairobi", 20250101, 150),
        ("2024-02-29T12:00:00Z", "Africa/Abidjan", 20240229, 720),
        ("2024-10-27T00:30:00Z", "Europe/Paris", 20241027, 150),
        ("2024-10-27T01:30:00Z", "Europe/Paris", 20241027, 150),
    ],
)
def test_day_and_minute_are_those_of_the_business_zone(
    moment: str, timezone: str, date_key: int, time_key: int
) -> None:
    row = shaped({"transaction_ts": moment}, timezone=timezone)
    assert row.select("date_key", "time_key").row(0) == (date_key, time_key)
    assert row["transaction_ts"].dt.strftime("%FT%TZ").item() == moment


def test_a_row_knows_its_file_and_line() -> None:
    assert shaped({}, {}, file_number=5)["seq"].to_list() == [5 * 2**FILE_SHIFT + 1, 5 * 2**FILE_SHIFT + 2]


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"amount": "150.00", "commission": "1.50"}, 0),
        ({"amount": "150.00", "commission": "1.51"}, 0),
        ({"amount": "150.00", "commission": "1.52"}, WRONG_COMMISSION),
        ({"amount": "150.00", "commission": ""}, 0),
        ({"amount": "0", "commission": "0"}, ZERO_AMOUNT),
        ({"processing_ms": "60000"}, 0),
        ({"processing_ms": "60001"}, SLOW),
        ({"processing_ms": ""}, 0),
        ({"service_id": "SUP", "commission": "0.75"}, INACTIVE_SERVICE),
        ({"updated_at": ""}, 0),
        ({"updated_at": "2024-05-17T09:59:59Z"}, UPDATED_BEFORE),
        ({"amount": "0", "commission": "9", "processing_ms": "99999"}, ZERO_AMOUNT + WRONG_COMMISSION + SLOW),
    ],
)
def test_anomalies_are_flagged_and_not_refused(change: dict[str, str], flags: int) -> None:
    assert shaped(change)["anomaly_flags"].to_list() == [flags]


def test_absent_values_have_their_defaults() -> None:
    row = shaped({"commission": "", "updated_at": "", "processing_ms": "", "channel_code": ""})
    assert row["commission_minor"].item() == 0
    assert row["source_updated_at"].item() == row["transaction_ts"].item()
    assert row["processing_ms"].item() is None
    assert row["channel_code"].item() is None


def test_the_rows_of_a_leaf_stand_together_in_their_order(tmp_path: Path) -> None:
    days = ["2024-05-17", "2024-03-01", "2024-05-01", "2023-12-31", "2024-03-31", "2024-05-31"]
    rows = shaped(*[{"transaction_id": day, "transaction_ts": day} for day in days])
    slices = write_shard(rows, tmp_path / "a.arrow", Layout())
    found = [read_slices([piece], columns=["transaction_id"])["transaction_id"].to_list() for piece in slices]
    assert [str(piece.span) for piece in slices] == ["2023-12", "2024-03", "2024-05"]
    assert [piece.rows for piece in slices] == [len(days) for days in found]
    assert found == [["2023-12-31"], ["2024-03-01", "2024-03-31"], ["2024-05-17", "2024-05-01", "2024-05-31"]]
    some = read_slices(slices[1:], pl.col("transaction_id").str.ends_with("-31"), ["transaction_id"])
    assert some["transaction_id"].to_list() == ["2024-03-31", "2024-05-31"]
    assert read_slices(slices).height == 6


def test_many_slices_are_read_in_their_order(tmp_path: Path) -> None:
    slices = []
    for number in range(SLICES_AT_ONCE + 2):
        slices += write_shard(shaped({"transaction_id": f"T{number}"}), tmp_path / f"{number}.arrow", Layout())
    expected = [f"T{number}" for number in range(SLICES_AT_ONCE + 2)]
    assert read_slices(slices, columns=["transaction_id"])["transaction_id"].to_list() == expected


def test_no_identifier_is_written_to_disk(tmp_path: Path) -> None:
    rows = shaped({"client_id": "SECRET-CLIENT", "beneficiary_id": "+2250799999999"})
    Shelf(most_bytes=0).put(tmp_path / "a.arrow", rows)
    content = (tmp_path / "a.arrow").read_bytes()
    assert b"SECRET-CLIENT" not in content
    assert b"99999999" not in content


def test_shards_that_do_not_fit_in_memory_are_files(tmp_path: Path) -> None:
    one, two, three = (shaped({"transaction_id": f"T{number}"}) for number in range(3))
    shelf = Shelf(most_bytes=int(one.estimated_size()) + int(two.estimated_size()))
    paths = [tmp_path / f"{number}.arrow" for number in range(3)]
    for path, rows in zip(paths, (one, two, three), strict=True):
        shelf.put(path, rows)
        if path != paths[-1]:
            assert not path.exists()
    assert [path.exists() for path in paths] == [True, True, True]
    assert [shelf.scan(path).collect()["transaction_id"].item() for path in paths] == ["T0", "T1", "T2"]
    shelf.clear()
    shelf.put(paths[0], three)
    assert shelf.scan(paths[0]).collect()["transaction_id"].item() == "T2"


def encoded(dictionary: Dictionary, values: list[str | None], name: str = "client_id") -> list[Any]:
    return pl.DataFrame({name: values}, schema={name: pl.String}).select(dictionary.encode(name)).to_series().to_list()


def members_of(dictionary: Dictionary, count: int, name: str = "client_id") -> pl.Series:
    return dictionary.members(name, pl.Series(range(count), dtype=pl.UInt32))


def test_codes_lead_back_to_identifiers_and_null_stays_null() -> None:
    dictionary = Dictionary()
    values = ["b", None, "a", "b", "é"]
    codes = encoded(dictionary, values)
    members = members_of(dictionary, 3)
    assert [None if code is None else members[code] for code in codes] == values
    assert codes[0] == codes[3]


def test_columns_and_runs_do_not_share_codes() -> None:
    first, second = Dictionary(), Dictionary()
    for name in CODED:
        assert encoded(first, ["only", name], name) == [0, 1]
        assert members_of(first, 2, name).to_list() == ["only", name]
    assert encoded(second, ["other"]) == [0]
    assert members_of(second, 1).to_list() == ["other"]


def test_codes_stay_when_nothing_but_codes_is_kept_alive() -> None:
    # Polars drops the categories of a type that no series has any more, and then gives their codes out again.
    dictionary = Dictionary()
    kept = []
    for turn in range(5):
        kept.append(encoded(dictionary, [f"id-{turn}", f"id-{turn + 1}"]))
        gc.collect()
    members = members_of(dictionary, 6)
    assert [[members[code] for code in codes] for codes in kept] == [
        [f"id-{turn}", f"id-{turn + 1}"] for turn in range(5)
    ]


def test_codes_stay_across_threads() -> None:
    dictionary = Dictionary()
    pieces = [[f"id-{(turn * 37 + step) % 500}" for step in range(200)] for turn in range(40)]
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda piece: encoded(dictionary, list(piece)), pieces))
    gc.collect()
    members = members_of(dictionary, 500)
    assert members.n_unique() == members.len() == 500
    assert [[members[code] for code in part] for part in codes] == pieces
